package mail

import (
	"bytes"
	"crypto/sha256"
	"strings"
)

// traceFields are added or changed by transport and mailboxes: the same mail
// has others where it arrives a second time.
var traceFields = func() map[string]bool {
	m := map[string]bool{}
	for _, n := range strings.Fields(`received return-path delivered-to x-original-to envelope-to x-envelope-to x-envelope-from x-delivered-to
		authentication-results arc-authentication-results arc-seal arc-message-signature dkim-signature domainkey-signature x-google-dkim-signature
		received-spf x-received x-forwarded-to x-forwarded-for x-forwarded-encrypted x-gm-message-state x-google-smtp-source x-gm-gg x-gm-features
		x-spam-status x-spam-level x-spam-score x-spam-flag x-spam-checker-version x-spam-report x-spam-bar x-spam x-spamd-result x-rspamd-server
		x-rspamd-queue-id x-rspamd-action x-virus-scanned x-virus-status x-amavis-alert x-quarantine-id status x-status x-uid x-uidl x-keywords
		x-mozilla-status x-mozilla-status2 x-mozilla-keys x-imapbase x-imap content-length lines x-antivirus x-antivirus-status delivery-date
		x-apparently-to x-yahoofilteredbulk x-originating-ip x-resolved-to x-sieve x-ms-exchange-organization-authas x-ms-exchange-organization-authsource
		x-auto-response-suppress x-evolution-source x-account-key x-mozilla-account-key auto-forwarded x-autoforward x-gmail-labels x-gm-thrid
		x-pobox-relay-id x-cloudmark-score x-proofpoint-spam-details x-proofpoint-virus-version x-barracuda-spam-score x-barracuda-connect
		x-loop-detect x-ses-receipt x-ses-dkim-signature x-eopattributedmessage x-forefront-antispam-report x-microsoft-antispam`) {
		m[n] = true
	}
	return m
}()

// CanonicalHash identifies what the sender sent: SHA-256 over header and body
// without the fields transport adds (Received, Delivered-To, DKIM, spam marks
// ...), line endings and folding made equal, blank lines at the end left out.
// The same mail fetched through another mailbox has the same hash.
func CanonicalHash(raw []byte) [32]byte {
	if bytes.IndexByte(raw, '\n') < 0 {
		raw = bytes.ReplaceAll(raw, []byte("\r"), []byte("\n"))
	}
	h, body, _ := splitHeader(raw)
	sum := sha256.New()
	for _, f := range h.fields {
		name := strings.ToLower(f.name)
		if traceFields[name] || strings.HasPrefix(name, "x-ms-exchange-") || strings.HasPrefix(name, "arc-") || strings.HasPrefix(name, "resent-") {
			continue
		}
		value := strings.Join(strings.Fields(string(f.value)), " ")
		sum.Write([]byte(name + ":" + value + "\n"))
	}
	sum.Write([]byte("\n"))
	body = bytes.TrimRight(body, "\r\n")
	for len(body) > 0 {
		line, after := cutLine(body)
		sum.Write(bytes.TrimRight(line, " \t"))
		sum.Write([]byte("\n"))
		body = after
	}
	return [32]byte(sum.Sum(nil))
}
