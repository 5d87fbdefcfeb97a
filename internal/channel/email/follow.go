package email

import (
	"context"
	"slices"

	"github.com/deskbell/deskbell/internal/desk"
)

// job is a running fetcher.
type job struct {
	box    Mailbox
	cancel context.CancelFunc
	done   chan struct{}
}

func (j *job) stop() {
	j.cancel()
	<-j.done
}

// follow makes the running fetchers be those of the mailboxes there are now.
func (s *Service) follow(ctx context.Context, running map[string]*job) error {
	all, err := s.mailboxes.All(s.app)
	if err != nil {
		return err
	}
	wanted := map[string]Mailbox{}
	for _, box := range all {
		if box.IMAP != nil {
			wanted[box.ID] = box
		}
	}
	s.showPassive(all)
	for id, j := range running {
		if box, ok := wanted[id]; !ok || !sameFetch(box, j.box) {
			j.stop()
			delete(running, id)
		}
	}
	for id, box := range wanted {
		if running[id] == nil {
			running[id] = s.start(ctx, box)
		}
	}
	return nil
}

func (s *Service) start(ctx context.Context, box Mailbox) *job {
	ctx, cancel := context.WithCancel(ctx)
	j := &job{box: box, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(j.done)
		for ctx.Err() == nil {
			s.fetch(ctx, box)
			if box.locked {
				return
			}
			_ = desk.Sleep(ctx, s.clock, s.clock.Now().Add(s.timing.retry), nil) // only after a panic
		}
	}()
	return j
}

func (s *Service) fetch(ctx context.Context, box Mailbox) {
	defer s.recovered("fetch mail")
	(&fetcher{service: s, box: box}).run(ctx)
}

// sameFetch tells whether a fetcher of a can go on for b.
func sameFetch(a, b Mailbox) bool {
	return *a.IMAP == *b.IMAP && a.Since.Equal(b.Since) && a.Kind == b.Kind && a.locked == b.locked &&
		slices.Equal(a.Folders, b.Folders) && a.SentFolder == b.SentFolder && a.Backfill == b.Backfill
}

// showPassive shows the state of the mailboxes that are not fetched.
func (s *Service) showPassive(all []Mailbox) {
	real := slices.ContainsFunc(all, func(b Mailbox) bool { return b.Kind != KindSandbox })
	for _, box := range all {
		switch {
		case box.IMAP != nil:
		case s.listener != nil:
			s.setState(box.ID, StateOK, "")
		case box.Kind == KindForward:
			s.setState(box.ID, StateOff, "No mail arrives: the built-in SMTP listener is off. Start the desk with --smtp, or enter the mailbox's IMAP server.")
		case real:
			s.setState(box.ID, StateOff, "The sandbox is off since a mailbox is connected.")
		}
	}
}
