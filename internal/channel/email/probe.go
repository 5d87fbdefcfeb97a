package email

import (
	"context"
	"crypto/hmac"
	"encoding/base64"
	"strings"
	"time"

	"github.com/deskbell/deskbell/internal/secret"
)

const (
	// ProbeHeader marks a mail with which a mailbox is tested. Its value is
	// signed, see IsProbe.
	ProbeHeader  = "X-Deskbell-Probe"
	probePurpose = "email/probe"

	testTimeout = 90 * time.Second // for all steps
	probePause  = time.Second      // between two looks for it
)

// IsProbe tells whether a mail with this Message-ID (without <>) and this value
// of ProbeHeader is a test mail of the desk itself, which is no message to
// anybody. A stranger can't make one.
func IsProbe(box *secret.Box, messageID, value string) bool {
	want := probeValue(box, messageID)
	return value != "" && hmac.Equal([]byte(want), []byte(strings.TrimSpace(value)))
}

func probeValue(box *secret.Box, messageID string) string {
	return base64.RawURLEncoding.EncodeToString(box.MAC(probePurpose, messageID))
}

// StepState is how a step of a test ended.
type StepState string

// The ends of a step.
const (
	StepOK      StepState = "ok"
	StepFailed  StepState = "failed"
	StepSkipped StepState = "skipped" // there was nothing to do, or a step before it failed
)

// Step is one step of a mailbox test. The ids reach the API: imap_connect,
// imap_login, imap_inbox, smtp_connect, smtp_login, smtp_send, probe_received.
type Step struct {
	ID     string    `json:"id"`
	State  StepState `json:"state"`
	Text   string    `json:"text"`   // a sentence, saying what to mend when failed
	Detail string    `json:"detail"` // the server's own words, "" for none
	MS     int64     `json:"ms"`     // how long it took
}

// Report is the outcome of a mailbox test.
type Report struct {
	OK    bool   `json:"ok"`
	Steps []Step `json:"steps"`

	AuthServer string `json:"auth_server"` // proposed for auth_servers, "" for none
}

// Test tries a mailbox as typed: signs in at both servers, sends a test mail to
// the mailbox's own address and waits for it. It changes nothing there but the
// one mail. The error is about the input; what the servers say is in the
// Report. Passwords left out are those stored for in.ID.
func (s *Service) Test(ctx context.Context, in Input) (Report, error) {
	var old *Mailbox
	if in.ID != "" {
		found, err := s.mailboxes.Find(s.app, in.ID)
		if err != nil {
			return Report{}, err
		}
		old = found
	}
	box, err := in.mailbox(old)
	if err != nil {
		return Report{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, testTimeout)
	defer cancel()
	t := &tester{service: s, box: *box}
	t.run(ctx)
	t.report.OK = true
	for _, step := range t.report.Steps {
		t.report.OK = t.report.OK && step.State != StepFailed
	}
	return t.report, nil
}
