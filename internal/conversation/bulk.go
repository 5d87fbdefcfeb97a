package conversation

import (
	"errors"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/route"
	"github.com/deskbell/deskbell/internal/sqlite"
	"github.com/deskbell/deskbell/internal/ticket"
	"github.com/pocketbase/pocketbase/core"
)

// maxBulk bounds how many tickets one request changes: others wait meanwhile.
const maxBulk = 200

type bulkInput struct {
	Numbers []int64    `json:"numbers"`
	Change  patchInput `json:"change"`
}

// bulkResult is what became of one ticket; one of Ticket and Error is null.
type bulkResult struct {
	Number int64         `json:"number"`
	Ticket *ticket.Shown `json:"ticket"`
	Error  *bulkError    `json:"error"`
}

type bulkError struct {
	Code    desk.Code      `json:"code"`
	Message string         `json:"message"`
	Data    map[string]any `json:"data"`
}

// bulk changes many tickets in one transaction: what is refused for one leaves
// that one as it is and the others changed.
func (s *Conversations) bulk(c *route.Call, in bulkInput) (route.List[bulkResult], error) {
	none := route.List[bulkResult]{}
	if n := len(in.Numbers); n == 0 || n > maxBulk {
		return none, desk.Errorf(desk.Invalid, "Name 1 to %d tickets in numbers.", maxBulk)
	}
	out := make([]bulkResult, 0, len(in.Numbers))
	err := c.App.RunInTransaction(func(tx core.App) error {
		seen := map[int64]bool{}
		for _, number := range in.Numbers {
			if seen[number] {
				continue
			}
			seen[number] = true
			result, err := s.bulkOne(tx, c, number, in.Change)
			if err != nil {
				return err
			}
			out = append(out, result)
		}
		return nil
	})
	return route.ListOf(out, ""), err
}

// bulkOne changes one ticket; what it is refused for is its result, any other
// error ends it all.
func (s *Conversations) bulkOne(tx core.App, c *route.Call, number int64, in patchInput) (bulkResult, error) {
	out := bulkResult{Number: number}
	var t *ticket.Ticket
	err := savepoint(tx, func() (err error) {
		t, err = s.apply(tx, c, number, in)
		return err
	})
	var told *desk.Error
	if errors.As(err, &told) {
		out.Error = &bulkError{told.Code, told.Text, told.Data}
		return out, nil
	}
	if err != nil {
		return out, err
	}
	head, err := shown(tx, t)
	out.Ticket = &head
	return out, err
}

// savepoint runs f as a part of tx that is taken back by itself when it errs.
func savepoint(tx core.App, f func() error) error {
	if err := sqlite.Exec(tx, "SAVEPOINT one_of_many"); err != nil {
		return err
	}
	if err := f(); err != nil {
		if undo := sqlite.Exec(tx, "ROLLBACK TO one_of_many"); undo != nil {
			return undo
		}
		return errors.Join(err, sqlite.Exec(tx, "RELEASE one_of_many"))
	}
	return sqlite.Exec(tx, "RELEASE one_of_many")
}
