package email

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
)

// randomBoundary is how go-mail writes the boundary that it threw dice for. The
// text of a mail can't hold it: there an equals sign is escaped.
var randomBoundary = regexp.MustCompile(`boundary=([0-9a-f]{60})\b`)

// steady makes a mail the same bytes each time it is written: its boundaries
// come from its Message-ID. A delivery that is tried again is the very mail it
// was, so that a server which had it already can tell.
func steady(raw []byte, messageID string) []byte {
	for i, found := range randomBoundary.FindAllSubmatch(raw, -1) {
		sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", messageID, i))
		raw = bytes.ReplaceAll(raw, bytes.Clone(found[1]), []byte(hex.EncodeToString(sum[:])[:60]))
	}
	return raw
}
