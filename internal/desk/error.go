package desk

import (
	"errors"
	"fmt"
)

// Code sorts errors by what the caller can do about them.
type Code string

// The error codes, with the HTTP status they become.
const (
	Invalid      Code = "invalid"      // 400: the input is wrong; the sentence says how to mend it
	Unauthorized Code = "unauthorized" // 401: no or bad token
	Forbidden    Code = "forbidden"    // 403: may see, but not do
	NotFound     Code = "not_found"    // 404: does not exist or may not be seen
	Conflict     Code = "conflict"     // 409: stale or already done
	TooLarge     Code = "too_large"    // 413
	Refused      Code = "refused"      // 422: a guard said no
	TooMany      Code = "too_many"     // 429
	Unavailable  Code = "unavailable"  // 503: try again later
)

var statusOf = map[Code]int{
	Invalid: 400, Unauthorized: 401, Forbidden: 403, NotFound: 404,
	Conflict: 409, TooLarge: 413, Refused: 422, TooMany: 429, Unavailable: 503,
}

// Status is the HTTP status that c becomes, 0 for the empty code.
func (c Code) Status() int { return statusOf[c] }

// Error is an error meant for people: one sentence that says what is wrong and
// how to mend it, without a secret or a customer's text.
type Error struct {
	Code Code
	Text string
	Data map[string]any // more facts for programs, nil for none
}

// Error implements error.
func (e *Error) Error() string { return e.Text }

// Errorf makes an Error with a formatted sentence.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Text: fmt.Sprintf(format, args...)}
}

// With returns a copy of e that carries one more fact for programs.
func (e *Error) With(key string, value any) *Error {
	data := map[string]any{key: value}
	for k, v := range e.Data {
		data[k] = v
	}
	return &Error{Code: e.Code, Text: e.Text, Data: data}
}

// CodeOf is the code of the first Error in err's chain, "" if there is none.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}
