package email

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// tester is one test under way.
type tester struct {
	service *Service
	box     Mailbox
	report  Report
	imap    *imapConn
	next    imap.UID // the test mail will not be below
}

func (t *tester) run(ctx context.Context) {
	t.report.AuthServer = proposeReporter(t.box, nil)
	read := t.readable(ctx)
	if t.imap != nil {
		defer t.imap.close()
	}
	id, sent := t.send(ctx)
	switch {
	case t.box.IMAP == nil:
		t.skip("probe_received", "The mailbox is not fetched, so nothing is waited for.")
	case !read || !sent:
		t.skip("probe_received", "Not tried.")
	default:
		t.step("probe_received", *t.box.IMAP, "imap", "The test mail arrived.", func() error { return t.await(ctx, id) })
	}
}

// readable tries to fetch; it leaves the connection open.
func (t *tester) readable(ctx context.Context) bool {
	if t.box.IMAP == nil {
		for _, id := range []string{"imap_connect", "imap_login", "imap_inbox"} {
			t.skip(id, "No IMAP server is entered.")
		}
		return false
	}
	s := *t.box.IMAP
	d := t.service.dialer
	start := t.service.clock.Now()
	c, err := d.openIMAP(ctx, s)
	if isGrantError(err) {
		t.skip("imap_connect", "Not tried.")
		t.fail("imap_login", err, s, "imap", start)
		t.skip("imap_inbox", "Not tried.")
		return false
	}
	if errors.Is(err, errSignIn) || desk.CodeOf(err) == desk.Invalid {
		t.add("imap_connect", StepOK, fmt.Sprintf("%s answers.", s.Host), "", start)
		t.fail("imap_login", err, s, "imap", start)
		t.skip("imap_inbox", "Not tried.")
		return false
	}
	if err != nil {
		t.fail("imap_connect", err, s, "imap", start)
		t.skip("imap_login", "Not tried.")
		t.skip("imap_inbox", "Not tried.")
		return false
	}
	t.imap = c
	t.add("imap_connect", StepOK, fmt.Sprintf("%s answers.", s.Host), "", start)
	t.add("imap_login", StepOK, s.signedInText(), "", start)
	return t.step("imap_inbox", s, "imap", "The inbox can be read.", func() error { return t.look(ctx) })
}

func (t *tester) look(ctx context.Context) error {
	sel, err := t.imap.open(ctx, inbox)
	if err != nil {
		return err
	}
	t.next = sel.UIDNext
	if t.next == 0 {
		t.next, err = t.imap.uidNext(ctx, sel.NumMessages)
	}
	return err
}

// send sends the test mail and returns its Message-ID.
func (t *tester) send(ctx context.Context) (id string, ok bool) {
	if t.box.SMTP == nil {
		for _, id := range []string{"smtp_connect", "smtp_login", "smtp_send"} {
			t.skip(id, "No SMTP server is entered; the mailbox can't send.")
		}
		return "", false
	}
	s := *t.box.SMTP
	start := t.service.clock.Now()
	c, err := t.service.dialer.openSMTP(ctx, s, t.service.hello(t.box))
	if isGrantError(err) {
		t.skip("smtp_connect", "Not tried.")
		t.fail("smtp_login", err, s, "smtp", start)
		t.skip("smtp_send", "Not tried.")
		return "", false
	}
	if errors.Is(err, errSignIn) {
		t.add("smtp_connect", StepOK, fmt.Sprintf("%s answers.", s.Host), "", start)
		t.fail("smtp_login", err, s, "smtp", start)
		t.skip("smtp_send", "Not tried.")
		return "", false
	}
	if err != nil {
		t.fail("smtp_connect", err, s, "smtp", start)
		t.skip("smtp_login", "Not tried.")
		t.skip("smtp_send", "Not tried.")
		return "", false
	}
	defer c.quit()
	t.add("smtp_connect", StepOK, fmt.Sprintf("%s answers.", s.Host), "", start)
	if s.User == "" {
		t.skip("smtp_login", "No user is entered; the server lets us send without.")
	} else {
		t.add("smtp_login", StepOK, s.signedInText(), "", start)
	}
	id = desk.NewToken() + "@probe." + domainOf(t.box.Address)
	ok = t.step("smtp_send", s, "smtp", "The test mail was sent.", func() error { return t.transmit(ctx, c, id) })
	return id, ok
}

func (t *tester) transmit(ctx context.Context, c *smtpConn, id string) error {
	out := desk.Outbound{
		From: t.box.From(), To: []desk.Address{{Address: t.box.Address}}, MessageID: id, Date: t.service.clock.Now(),
		Subject: "Deskbell tests this mailbox",
		Text:    "Deskbell sent this mail to itself to see whether sending and fetching work. You can delete it.\n",
	}
	raw, err := build(out, map[string]string{ProbeHeader: probeValue(t.service.options.Box, id), "Auto-Submitted": "auto-generated"})
	if err != nil {
		return err
	}
	raw = t.service.sign(t.box, out.From, raw)
	address, err := cleanRecipient(t.box.Address)
	if err != nil {
		return err
	}
	e := envelope{from: bracketed(address), to: bracketed(address), raw: raw, utf8: !isASCII(address)}
	result, err := c.transmit(ctx, e, func(desk.SendState) error { return nil })
	switch {
	case err != nil:
		return err
	case result.State != desk.SendSent:
		return desk.Errorf(desk.Invalid, "%s did not take the test mail: %s", t.box.SMTP.Host, result.Answer)
	}
	return nil
}

// await looks for the test mail among what came since the look before.
func (t *tester) await(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, t.service.timing.probe)
	defer cancel()
	for {
		head, err := t.imap.findMessage(ctx, t.next, id)
		if err != nil && ctx.Err() == nil {
			return err
		}
		if head != nil {
			t.report.AuthServer = proposeReporter(t.box, head)
			return nil
		}
		pause := time.NewTimer(probePause)
		select {
		case <-ctx.Done():
			pause.Stop()
			return desk.Errorf(desk.Invalid, "The test mail was sent but did not arrive within %d seconds. Look into the spam folder of %s, and check that it is the mailbox of this user.",
				int(t.service.timing.probe.Seconds()), t.box.Address)
		case <-pause.C:
		}
	}
}

// findMessage looks among the mails from the given UID on for one with this
// Message-ID and returns what its header says of its way, nil when there is none.
func (c *imapConn) findMessage(ctx context.Context, from imap.UID, id string) (head []byte, err error) {
	err = c.within(ctx, commandTimeout, func() error {
		if err := c.client.Noop().Wait(); err != nil { // lets the server notice new mails
			return err
		}
		section := &imap.FetchItemBodySection{Peek: true, Specifier: imap.PartSpecifierHeader, HeaderFields: []string{"Message-ID", "Received", "Authentication-Results"}}
		set := imap.UIDSet{imap.UIDRange{Start: from}}
		cmd := c.client.Fetch(set, &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{section}})
		for msg := cmd.Next(); msg != nil; msg = cmd.Next() {
			for item := msg.Next(); item != nil; item = msg.Next() {
				body, ok := item.(imapclient.FetchItemDataBodySection)
				if !ok || body.Literal == nil {
					continue
				}
				if f, err := readLiteral(body.Literal, maxHeader); err == nil && strings.Contains(string(f.raw), id) {
					head = f.raw
				}
			}
		}
		return cmd.Close()
	})
	return head, err
}

// step runs one step and puts it into the report.
func (t *tester) step(id string, s Server, protocol, text string, f func() error) bool {
	start := t.service.clock.Now()
	if err := f(); err != nil {
		t.fail(id, err, s, protocol, start)
		return false
	}
	t.add(id, StepOK, text, "", start)
	return true
}

func (t *tester) fail(id string, err error, s Server, protocol string, start time.Time) {
	text, detail := explain(err, s, protocol)
	t.add(id, StepFailed, text, detail, start)
}

func (t *tester) skip(id, text string) {
	t.add(id, StepSkipped, text, "", t.service.clock.Now())
}

func (t *tester) add(id string, state StepState, text, detail string, start time.Time) {
	ms := t.service.clock.Now().Sub(start).Milliseconds()
	t.report.Steps = append(t.report.Steps, Step{ID: id, State: state, Text: text, Detail: detail, MS: max(ms, 0)})
}

func domainOf(address string) string {
	_, domain, _ := cutAddress(address)
	return domain
}
