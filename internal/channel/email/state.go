package email

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// How sending goes; the words reach the API.
const (
	outgoingOK      = "ok"
	outgoingFailing = "failing"
	outgoingUnknown = "unknown" // nothing was sent since the desk started
)

// Outgoing is how sending goes for a mailbox since the desk started.
type Outgoing struct {
	Host  string `json:"host"`  // of its server, "" when it has none
	State string `json:"state"` // ok, failing or unknown
	Text  string `json:"text"`  // a sentence saying what to mend when failing
}

// Outgoing tells how sending goes for a mailbox.
func (s *Service) Outgoing(box Mailbox) Outgoing {
	if box.SMTP == nil {
		return Outgoing{State: outgoingUnknown, Text: fmt.Sprintf("The mailbox %s has no server for sending.", box.Address)}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if o, ok := s.outgoing[box.ID]; ok && o.Host == box.SMTP.Host {
		return o
	}
	return Outgoing{Host: box.SMTP.Host, State: outgoingUnknown}
}

// noteOutgoing remembers whether the server worked with us; err is nil if so.
func (s *Service) noteOutgoing(box Mailbox, err error) {
	o := Outgoing{Host: box.SMTP.Host, State: outgoingOK}
	if err != nil {
		if errors.Is(err, context.Canceled) {
			return
		}
		o.State = outgoingFailing
		o.Text, _ = explain(err, *box.SMTP, "smtp")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.outgoing[box.ID] = o
}

// setState stores a mailbox's state if it is another one and tells of it.
func (s *Service) setState(id string, state State, text string) {
	changed, err := saveState(s.app, id, state, text, s.clock.Now())
	if err != nil {
		s.logger.Error("mailbox state not stored", "mailbox", id, "error", err)
		return
	}
	if changed && s.options.Changed != nil {
		s.options.Changed(id)
	}
}

// noteArrival remembers when the listener last took mail for mailboxes.
func (s *Service) noteArrival(boxes []string) {
	now := s.clock.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range boxes {
		s.arrivals[id] = now
	}
}

// LastMails tells for each mailbox when its last mail came in, by the listener
// since the desk started, by IMAP ever. A mailbox without any is left out.
func (s *Service) LastMails() (map[string]time.Time, error) {
	all, err := lastMails(s.app)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, at := range s.arrivals {
		if at.After(all[id]) {
			all[id] = at
		}
	}
	return all, nil
}
