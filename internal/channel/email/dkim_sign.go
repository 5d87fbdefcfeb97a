package email

import (
	"bytes"
	"crypto/rsa"
	"strings"
	"sync"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/emersion/go-msgauth/dkim"
	"golang.org/x/net/idna"
)

// signedFields are the fields that a signature covers, those that make up what a
// reader sees once more than they occur: nobody can add another From. The
// Message-ID is left out, because some relays write their own.
var signedFields = []string{
	"From", "From", "To", "To", "Cc", "Cc", "Subject", "Subject", "Date", "Date", "Reply-To", "Reply-To",
	"In-Reply-To", "References", "Content-Type", "Content-Type",
}

// signers are the keys that sign now, by domain. They are read again after each
// change of a mailbox, a key or a wish.
type signers struct {
	mu sync.Mutex
	of map[string]*signer
}

// signer is how mail from a domain is signed; pair is nil when it is not.
type signer struct {
	wish     Signing
	selector string
	pair     *rsa.PrivateKey
}

// forget has every domain looked up again.
func (s *signers) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.of = nil
}

// sign puts the signature of the author's domain before a mail, if that domain's
// record is in the DNS and the owner wants it. Automatic mail with the null
// sender needs it most: SPF says nothing about that.
func (s *Service) sign(box Mailbox, from desk.Address, raw []byte) []byte {
	by, domain, err := s.signerFor(box, from.Address)
	if err == nil && by == nil {
		return raw
	}
	var out bytes.Buffer
	if err == nil {
		err = dkim.Sign(&out, bytes.NewReader(raw), &dkim.SignOptions{
			Domain: domain, Selector: by.selector, Signer: by.pair, HeaderKeys: signedFields,
			HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed,
		})
	}
	if err != nil { // an unsigned mail is better than none
		s.logger.Error("mail not signed", "domain", domain, "error", err)
		return raw
	}
	return out.Bytes()
}

// signerFor returns who signs a mail that a mailbox sends from an address, nil
// for nobody.
func (s *Service) signerFor(box Mailbox, address string) (by *signer, domain string, err error) {
	domain = mailDomainOf(address)
	if box.Kind == KindSandbox || box.SMTP == nil || domain == "" {
		return nil, domain, nil
	}
	by, err = s.signerOf(domain)
	if err != nil || by.pair == nil || by.wish == SigningOff {
		return nil, domain, err
	}
	if c := carrierOf(box.SMTP); by.wish == SigningAuto && c != nil && c.signs {
		return nil, domain, nil
	}
	return by, domain, nil
}

func (s *Service) signerOf(domain string) (*signer, error) {
	s.signers.mu.Lock()
	defer s.signers.mu.Unlock()
	if by := s.signers.of[domain]; by != nil {
		return by, nil
	}
	d, err := loadDomain(s.app, domain)
	if err != nil {
		return nil, err
	}
	keys, err := loadKeys(s.app, domain)
	if err != nil {
		return nil, err
	}
	by := &signer{wish: d.signing}
	for _, k := range usable(keys, s.options.Box) {
		if k.seen.IsZero() {
			continue
		}
		if by.pair, err = k.open(s.options.Box); err != nil {
			return nil, err
		}
		by.selector = k.selector
		break
	}
	if s.signers.of == nil {
		s.signers.of = map[string]*signer{}
	}
	s.signers.of[domain] = by
	return by, nil
}

// mailDomainOf is the domain of an address in lower case and ASCII, "" for none.
func mailDomainOf(address string) string {
	domain, err := idna.Lookup.ToASCII(strings.ToLower(strings.TrimSuffix(domainOf(address), ".")))
	if err != nil {
		return ""
	}
	return domain
}
