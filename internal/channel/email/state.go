package email

import (
	"context"
	"errors"
	"time"
)

// Outgoing is how sending goes for a mailbox since the desk started.
type Outgoing struct {
	Host  string    // of its server, "" when it has none
	State State     // StateOK, StateFailing, or StateConnecting when nothing was sent yet
	Text  string    // a sentence saying what to mend when failing
	Since time.Time // zero when nothing was sent yet
}

// Outgoing tells how sending goes for a mailbox.
func (s *Service) Outgoing(box Mailbox) Outgoing {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o, ok := s.outgoing[box.ID]; ok && box.SMTP != nil && o.Host == box.SMTP.Host {
		return o
	}
	o := Outgoing{State: StateConnecting}
	if box.SMTP != nil {
		o.Host = box.SMTP.Host
	}
	return o
}

// noteOutgoing remembers whether the server worked with us; err is nil if so.
func (s *Service) noteOutgoing(box Mailbox, err error) {
	o := Outgoing{Host: box.SMTP.Host, State: StateOK, Since: s.clock.Now()}
	if err != nil {
		if errors.Is(err, context.Canceled) {
			return
		}
		o.State = StateFailing
		o.Text, _ = explain(err, *box.SMTP, "smtp")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if old, ok := s.outgoing[box.ID]; ok && old.Host == o.Host && old.State == o.State {
		o.Since = old.Since
	}
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
