// Package dovecottest runs Debian's Dovecot for a test: an IMAP server as
// people have it, on a port of loopback, with one user and folders that are
// marked by their use.
package dovecottest
