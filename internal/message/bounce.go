package message

import (
	"slices"
	"strings"

	"github.com/pocketbase/pocketbase/core"
)

// Bounce says that our mail did not arrive, by all reports that came about it.
type Bounce struct {
	Recipients []string `json:"recipients"` // each once, from all reports
	Status     string   `json:"status"`     // "5.1.1", "" when unknown
	Reason     string   `json:"reason"`     // the mail system's words
	Permanent  bool     `json:"permanent"`
	Delayed    bool     `json:"delayed"` // nothing failed yet: a server still tries
	At         string   `json:"at"`      // of the first report of this kind
}

// MarkBounced notes on our message m in tx what a mail system reports, beside
// what others reported before, and answers whether it is news: a failure, or a
// delay, of which the message did not know.
func MarkBounced(tx core.App, m *Message, b Bounce) (news bool, err error) {
	merged, news := m.Bounce.with(b)
	if !news {
		return false, nil
	}
	m.Bounce = merged
	return true, setBounce(tx, m.ID, merged)
}

// with adds a report to what is known: a failure replaces a delay and is not
// replaced by one, and the words of the first permanent failure stay.
func (b *Bounce) with(report Bounce) (merged *Bounce, news bool) {
	switch {
	case b == nil || b.Delayed && !report.Delayed:
		return &report, true
	case report.Delayed && !b.Delayed:
		return b, false
	}
	sum := *b
	if report.Permanent && !b.Permanent {
		sum.Status, sum.Reason, sum.Permanent, news = report.Status, report.Reason, true, true
	}
	sum.Recipients = slices.Clone(b.Recipients)
	for _, r := range report.Recipients {
		if !slices.ContainsFunc(sum.Recipients, func(known string) bool { return strings.EqualFold(known, r) }) {
			sum.Recipients, news = append(sum.Recipients, r), true
		}
	}
	return &sum, news
}
