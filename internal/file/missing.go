package file

import "slices"

// asked bounds how many source ids are asked for in one query.
const asked = 500

// Missing returns those of a mailbox's source ids that the ledger has no row of.
func (l *Ledger) Missing(mailbox string, sourceIDs []string) ([]string, error) {
	there := map[string]bool{}
	for some := range slices.Chunk(sourceIDs, asked) {
		if err := ledgered(l.app, mailbox, some, there); err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(slices.Clone(sourceIDs), func(id string) bool { return there[id] }), nil
}
