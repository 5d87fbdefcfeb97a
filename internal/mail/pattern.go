package mail

import (
	"regexp"
	"sync"
)

// lazily compiles an expression when it is first used: the long ones take
// milliseconds, which every start of the program would pay.
func lazily(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}
