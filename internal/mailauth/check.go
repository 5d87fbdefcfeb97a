package mailauth

import (
	"bytes"
	"context"
	"errors"
	"net"
	"strings"

	"blitiri.com.ar/go/spf"
	"github.com/deskbell/deskbell/internal/desk"
	"github.com/emersion/go-msgauth/dkim"
	"github.com/emersion/go-msgauth/dmarc"
)

// maxSignatures bounds how many signatures of one mail are looked at.
const maxSignatures = 5

// check is one mail being judged by ourselves.
type check struct {
	mail   Mail
	domain string // of From
	dns    *lookups

	unsure bool // a question had no answer, so that nothing can be held against the mail
}

func (c *check) run(ctx context.Context) Verdict {
	signers := c.signers()
	policy := c.policy()
	for _, d := range signers {
		if aligned(d, c.domain, policy != nil && policy.DKIMAlignment == dmarc.AlignmentStrict) {
			return Verdict{Result: desk.AuthPass, Why: WhyDKIM, Domain: d}
		}
	}
	known := c.mail.Peer.IsValid() && !local(c.mail)
	if known {
		if d := c.sender(ctx); d != "" && aligned(d, c.domain, policy != nil && policy.SPFAlignment == dmarc.AlignmentStrict) {
			return Verdict{Result: desk.AuthPass, Why: WhySPF, Domain: d}
		}
	}
	switch {
	case c.unsure:
		return Verdict{Result: desk.AuthNone, Why: WhyUnknown}
	case policy == nil || policy.Policy == dmarc.PolicyNone:
		return Verdict{Result: desk.AuthNone, Why: WhyNoPolicy}
	case !known: // nobody knows any more which server brought it
		return Verdict{Result: desk.AuthNone, Why: WhyUnknown}
	}
	return Verdict{Result: desk.AuthFail, Why: WhyDMARC}
}

// local reports whether the mail was brought by a server of our own network,
// about which SPF can't say anything.
func local(m Mail) bool {
	return m.Peer.IsLoopback() || m.Peer.IsPrivate() || m.Peer.IsLinkLocalUnicast()
}

// signers lists the domains whose signatures hold.
func (c *check) signers() []string {
	if !c.signed() {
		return nil
	}
	found, err := dkim.VerifyWithOptions(bytes.NewReader(c.mail.Raw), &dkim.VerifyOptions{LookupTXT: c.dns.txt, MaxVerifications: maxSignatures})
	if err != nil && !errors.Is(err, dkim.ErrTooManySignatures) {
		return nil
	}
	var out []string
	for _, v := range found {
		switch {
		case v.Err == nil:
			out = append(out, v.Domain)
		case dkim.IsTempFail(v.Err):
			c.unsure = true
		}
	}
	return out
}

func (c *check) signed() bool {
	for name := range c.mail.Header.All() {
		if strings.EqualFold(name, "DKIM-Signature") {
			return true
		}
	}
	return false
}

// policy is what the sender's domain asks for, nil for nothing.
func (c *check) policy() *dmarc.Record {
	for i, d := range []string{c.domain, Organization(c.domain)} {
		if i > 0 && d == c.domain {
			break
		}
		record, err := dmarc.LookupWithOptions(d, &dmarc.LookupOptions{LookupTXT: c.dns.txt})
		switch {
		case err == nil:
			if i > 0 && record.SubdomainPolicy != "" {
				record.Policy = record.SubdomainPolicy
			}
			return record
		case !errors.Is(err, dmarc.ErrNoPolicy):
			c.unsure = c.unsure || c.dns.failed
			return nil
		}
	}
	return nil
}

// sender is the domain that lets the server which brought the mail send for it.
func (c *check) sender(ctx context.Context) string {
	from := c.mail.MailFrom
	if from == "" {
		from = "postmaster@" + c.mail.Helo
	}
	result, _ := spf.CheckHostWithSender(net.IP(c.mail.Peer.AsSlice()), c.mail.Helo, from, spf.WithContext(ctx), spf.WithResolver(c.dns))
	switch result {
	case spf.Pass:
		return domainOf(from)
	case spf.TempError:
		c.unsure = true
	}
	return ""
}
