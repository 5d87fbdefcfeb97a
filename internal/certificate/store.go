package certificate

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// accountFile can't be a domain: it has no dot.
const accountFile = "account"

// store keeps account and certificates of one authority, each in a sealed file.
type store struct {
	dir    string
	sealer Sealer
}

// newStore keeps the authorities apart: an account at one is none at another.
func newStore(dir, directory string, s Sealer) store {
	host := "authority"
	if u, err := url.Parse(directory); err == nil && u.Host != "" {
		host = strings.NewReplacer(":", "-", "[", "", "]", "").Replace(u.Host)
	}
	return store{dir: filepath.Join(dir, host), sealer: s}
}

// account returns the key of the account, a new one when there is none.
func (s store) account() (crypto.Signer, error) {
	text, err := s.read(accountFile)
	if err != nil {
		return nil, err
	}
	if block, _ := pem.Decode(text); block != nil {
		return parseKey(block.Bytes)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	if text, err = keyText(key); err != nil {
		return nil, err
	}
	return key, s.write(accountFile, text)
}

// certificate returns the kept certificate of a domain, nil when there is none.
func (s store) certificate(domain string) (*tls.Certificate, error) {
	text, err := s.read(domain)
	if err != nil || text == nil {
		return nil, err
	}
	cert := &tls.Certificate{}
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			cert.Certificate = append(cert.Certificate, block.Bytes)
			continue
		}
		if cert.PrivateKey, err = parseKey(block.Bytes); err != nil {
			return nil, err
		}
	}
	return checked(cert, domain)
}

func (s store) save(domain string, cert *tls.Certificate) error {
	text, err := keyText(cert.PrivateKey)
	if err != nil {
		return err
	}
	for _, der := range cert.Certificate {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	return s.write(domain, text)
}

// read opens a file, nil when there is none or when it was sealed with another
// key: what it held is got anew.
func (s store) read(name string) ([]byte, error) {
	sealed, err := os.ReadFile(filepath.Join(s.dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	text, err := s.sealer.Open(purpose(name), strings.TrimSpace(string(sealed)))
	if err != nil {
		return nil, nil
	}
	return []byte(text), nil
}

// write puts a whole file in the place of the old one.
func (s store) write(name string, text []byte) error {
	sealed, err := s.sealer.Seal(purpose(name), string(text))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return fmt.Errorf("make a folder for certificates: %w", err)
	}
	temp, err := os.CreateTemp(s.dir, "new-*") // mode 0600
	if err != nil {
		return fmt.Errorf("keep the certificate: %w", err)
	}
	defer func() { _ = os.Remove(temp.Name()) }()
	_, err = temp.WriteString(sealed + "\n")
	if err = errors.Join(err, temp.Sync(), temp.Close()); err == nil {
		err = os.Rename(temp.Name(), filepath.Join(s.dir, name))
	}
	if err != nil {
		return fmt.Errorf("keep the certificate: %w", err)
	}
	return nil
}

// purpose is what a file is sealed for; it is part of the seal and never
// renamed.
func purpose(name string) string { return "certificate/" + name }

// checked completes a certificate with its leaf, or errs when it is none for the
// domain.
func checked(cert *tls.Certificate, domain string) (*tls.Certificate, error) {
	if len(cert.Certificate) == 0 || cert.PrivateKey == nil {
		return nil, errors.New("the certificate or its key is missing")
	}
	leaf, err := x509.ParseCertificate(cert.Certificate[0])
	if err != nil {
		return nil, err
	}
	if err := leaf.VerifyHostname(domain); err != nil {
		return nil, err
	}
	want, err := x509.MarshalPKIXPublicKey(leaf.PublicKey)
	if err != nil {
		return nil, err
	}
	signer, ok := cert.PrivateKey.(crypto.Signer)
	if !ok {
		return nil, errors.New("the key of the certificate can't sign")
	}
	if got, err := x509.MarshalPKIXPublicKey(signer.Public()); err != nil || !bytes.Equal(got, want) {
		return nil, errors.New("the certificate is for another key")
	}
	cert.Leaf = leaf
	return cert, nil
}

func keyText(key crypto.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

func parseKey(der []byte) (crypto.Signer, error) {
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, err
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("a %T can't sign", key)
	}
	return signer, nil
}
