package email

import (
	"fmt"
	"slices"
	"strings"

	"github.com/deskbell/deskbell/internal/mailauth"
)

// RecordState says whether a record is as it should be.
type RecordState string

// The states of a record.
const (
	RecordOK      RecordState = "ok"
	RecordMissing RecordState = "missing"
	RecordDiffers RecordState = "differs" // there, but not as it should be
	RecordUnknown RecordState = "unknown" // not asked yet, or no answer
)

// Record is an entry that the domain of a mailbox should have. The ids reach the
// API: mx, forward, spf, dkim, dmarc.
type Record struct {
	ID    string      `json:"id"`
	Type  string      `json:"type"`  // MX or TXT; "" for what is no record, such as forwarding
	Name  string      `json:"name"`  // where it belongs
	Value string      `json:"value"` // to copy, "" when there is nothing to
	Found []string    `json:"found"` // what is there
	State RecordState `json:"state"`
	Text  string      `json:"text"` // one sentence, saying what to do
}

// dnsView is what the records of a mailbox's domain are judged by.
type dnsView struct {
	box     Mailbox
	domain  mailDomain
	keys    []signingKey // the newest first
	names   []string     // the desk's own names
	arrived bool         // mail came in by the built-in listener
}

// records lists what the domain should have, in the order of setting it up.
func (v dnsView) records() []Record {
	list := []Record{v.way()}
	if v.box.SMTP != nil {
		list = append(list, v.spf())
		if r, ok := v.dkim(); ok {
			list = append(list, r)
		}
		list = append(list, v.dmarc())
	}
	for i := range list {
		list[i].Found = notNull(list[i].Found)
	}
	return list
}

// way is how mail reaches the mailbox.
func (v dnsView) way() Record {
	hosts, answered := v.domain.found.answer("MX " + v.domain.name)
	if v.box.Kind == KindForward {
		return v.forward(hosts)
	}
	r := Record{ID: "mx", Type: "MX", Name: v.domain.name, Found: hosts}
	c := carrierOf(v.box.IMAP)
	if c != nil && c.mxHost != "" {
		r.Value = "10 " + strings.ReplaceAll(c.mxHost, "{domain}", strings.ReplaceAll(v.domain.name, ".", "-"))
	}
	switch {
	case !answered:
		r.State, r.Text = RecordUnknown, unasked
	case len(hosts) == 0 && c != nil:
		r.State, r.Text = RecordMissing, fmt.Sprintf("No server takes mail for %s. Add the MX record that %s names for your domain.", v.domain.name, c.name)
	case len(hosts) == 0:
		r.State, r.Text = RecordMissing, fmt.Sprintf("No server takes mail for %s. Add the MX record of the provider where this mailbox is.", v.domain.name)
	case c != nil && len(c.mx) > 0 && !below(hosts[0], c.mx):
		r.State, r.Text = RecordDiffers, fmt.Sprintf("Mail for %s goes to %s and not to %s, where this mailbox is read; that is right only if it is passed on from there.", v.domain.name, hosts[0], c.name)
	default:
		r.State, r.Text = RecordOK, fmt.Sprintf("Mail for %s goes to %s.", v.domain.name, hosts[0])
	}
	return r
}

const unasked = "Not looked up yet, or nobody answered. Check again."

// forward is what has to be set up where the mail of the address is now.
func (v dnsView) forward(hosts []string) Record {
	r := Record{ID: "forward", Name: v.box.Address, Found: hosts}
	switch {
	case len(v.names) == 0:
		r.State, r.Text = RecordMissing, "This desk has no name on the internet yet, so no mail can be forwarded to it. Start it with a domain: deskbell serve help.example.com --smtp :25."
		return r
	case len(hosts) > 0 && slices.Contains(v.names, hosts[0]):
		r.State, r.Text = RecordOK, fmt.Sprintf("Mail for %s comes straight here.", v.domain.name)
		return r
	}
	r.Value = builtIn(v.box.ID, v.names[0])
	if v.arrived {
		r.State, r.Text = RecordOK, "Forwarded mail arrives."
		return r
	}
	r.State = RecordUnknown
	r.Text = fmt.Sprintf("Where the mail of %s is now, forward all of it to this address. The desk notes when the first one arrives.", v.box.Address)
	return r
}

// builtIn is the address at which the built-in listener takes mail for a
// mailbox.
func builtIn(mailbox, name string) string { return mailbox + "@" + name }

// spf is the record that says which servers send for the domain.
func (v dnsView) spf() Record {
	domain, f := v.domain.name, v.domain.found
	texts, answered := f.txt(domain)
	have := spfOf(texts)
	term, judged := v.spfTerm()
	r := Record{ID: "spf", Type: "TXT", Name: domain, Found: have, Value: spfMerged(have, term)}
	host := v.box.SMTP.Host
	if term == "" && !judged {
		r.State, r.Value = RecordUnknown, ""
		r.Text = fmt.Sprintf("The desk sends by a mail server of its own network (%s). See that the public address of that server stands in this record.", host)
		return r
	}
	fits := term == "" && len(have) > 0 || f.spfHas(domain, term) || slices.Equal(f["SPF "+host], []string{"pass"})
	switch {
	case !answered:
		r.State, r.Text, r.Value = RecordUnknown, unasked, ""
	case len(have) == 0:
		r.State, r.Text = RecordMissing, fmt.Sprintf("Nothing says which servers send for %s. Add this TXT record.", domain)
	case len(have) > 1:
		r.State, r.Text = RecordDiffers, "There is more than one SPF record, so none of them counts. Replace them by this one."
	case !fits:
		r.State, r.Text = RecordDiffers, fmt.Sprintf("The SPF record does not name %s, by which the desk sends. Replace it by this one.", host)
	case f.spfCost(domain) > maxIncludes:
		r.State, r.Text = RecordDiffers, "The SPF record needs more than ten look-ups, so receivers ignore it. Take out senders that you do not use any more."
	default:
		r.State, r.Text, r.Value = RecordOK, "The desk's server may send for "+domain+".", have[0]
	}
	if !judged && r.State != RecordUnknown && r.State != RecordOK {
		r.Text += " If " + host + " sends by way of other servers, ask its provider what to name instead."
	}
	return r
}

// spfTerm is what names the server for sending in the record, "" when nobody
// knows; sure tells whether that is so for certain.
func (v dnsView) spfTerm() (term string, sure bool) {
	if c := carrierOf(v.box.SMTP); c != nil {
		if c.spf == "" {
			return "", true
		}
		return "include:" + c.spf, true
	}
	host := v.box.SMTP.Host
	if slices.Equal(v.domain.found["SPF "+host], []string{"local"}) || host == "localhost" {
		if len(v.names) == 0 {
			return "", false
		}
		return "a:" + v.names[0], false
	}
	if strings.Trim(host, "0123456789.") == "" {
		return "ip4:" + host, false
	}
	if strings.Contains(host, ":") {
		return "ip6:" + host, false
	}
	return "a:" + host, false
}

// dkim is the record of the key that signs; ok is false when none is wanted.
func (v dnsView) dkim() (r Record, ok bool) {
	r = Record{ID: "dkim", Type: "TXT", State: RecordUnknown}
	c := carrierOf(v.box.SMTP)
	switch {
	case v.domain.signing == SigningOff:
		return r, false
	case v.domain.signing == SigningAuto && c != nil && c.signs:
		r.Text = fmt.Sprintf("%s signs mail itself. Turn its DKIM on for %s there and add the record that it shows.", c.name, v.domain.name)
		return r, true
	case len(v.keys) == 0:
		r.Text = "Check once, and the desk makes the key whose record belongs here."
		return r, true
	}
	k := v.keys[0]
	r.Name, r.Value = k.host(), k.record()
	texts, answered := v.domain.found.txt(k.host())
	r.Found = texts
	switch {
	case !answered:
		r.Text = unasked
	case k.holds(texts):
		r.State, r.Text = RecordOK, fmt.Sprintf("Mail from %s is signed.", v.domain.name)
	case len(texts) == 0:
		r.State, r.Text = RecordMissing, "Add this TXT record in one piece. The desk signs as soon as it sees it."
	default:
		r.State, r.Text = RecordDiffers, "Another text is there. Replace it by this one, and see that it is not cut off."
	}
	return r, true
}

// dmarc is the record that says what receivers do with forged mail.
func (v dnsView) dmarc() Record {
	f, domain := v.domain.found, v.domain.name
	r := Record{ID: "dmarc", Type: "TXT", Name: "_dmarc." + domain, Value: "v=DMARC1; p=none"}
	texts, answered := f.txt(r.Name)
	have := dmarcOf(texts)
	if org := mailauth.Organization(domain); len(have) == 0 && org != domain {
		above, ok := f.txt("_dmarc." + org)
		if answered = answered && ok; len(dmarcOf(above)) == 1 {
			have, r.Name = dmarcOf(above), "_dmarc."+org
		}
	}
	r.Found = have
	switch {
	case !answered && len(have) == 0:
		r.State, r.Text = RecordUnknown, unasked
	case len(have) == 0:
		r.State, r.Text = RecordMissing, fmt.Sprintf("Nothing says what to do with forged mail from %s. Add this record, which only watches; p=quarantine or p=reject can follow once all your mail is signed.", domain)
	case len(have) > 1:
		r.State, r.Text = RecordDiffers, "There is more than one DMARC record, so none of them counts. Keep one."
	case strings.EqualFold(tagOf(have[0], "p"), "none"):
		r.State, r.Value, r.Text = RecordOK, have[0], "Receivers watch for forged mail and let it through."
	case tagOf(have[0], "p") == "":
		r.State, r.Text = RecordDiffers, "The DMARC record has no p=, so receivers ignore it. Replace it by this one."
	default:
		r.State, r.Value, r.Text = RecordOK, have[0], "Receivers hold back or refuse forged mail. See that SPF or DKIM above is in order, else they do so with the desk's."
	}
	return r
}

// dmarcOf picks the DMARC records among the texts of a name.
func dmarcOf(texts []string) []string {
	return slices.DeleteFunc(slices.Clone(texts), func(t string) bool { return !strings.EqualFold(tagOf(t, "v"), "DMARC1") })
}
