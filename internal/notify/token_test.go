package notify

import (
	"strings"
	"testing"

	"github.com/deskbell/deskbell/internal/secret"
)

func box(t *testing.T) *secret.Box {
	t.Helper()
	b, err := secret.Open(t.TempDir() + "/data")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestATokenIsBoundToWhatItIsAbout(t *testing.T) {
	s, other := box(t), box(t)
	row := notice{Ticket: "t1", Agent: "a1", Message: "m1", Expires: 1000}
	id := newID(s, &row, "desk.test")
	local, random, given, ok := parts(s, "<"+id+">")
	if !ok || hashOf(local) != row.Hash || !genuine(s, random, given, &row) {
		t.Fatalf("%s is not known again", id)
	}
	for name, change := range map[string]func(*notice){
		"ticket": func(n *notice) { n.Ticket = "t2" }, "agent": func(n *notice) { n.Agent = "a2" },
		"message": func(n *notice) { n.Message = "m2" }, "expiry": func(n *notice) { n.Expires++ },
	} {
		n := row
		change(&n)
		if genuine(s, random, given, &n) {
			t.Errorf("it is good for another %s", name)
		}
	}
	if genuine(s, strings.Repeat("0", len(random)), given, &row) || genuine(other, random, given, &row) {
		t.Error("it is good with another random part or key")
	}
	if again := newID(s, &row, "desk.test"); again == id {
		t.Error("the same twice")
	}
}

func TestOnlyOurOwnMessageIDsAreNamed(t *testing.T) {
	s, other := box(t), box(t)
	n := New(Deps{Secrets: s})
	row := notice{}
	id := newID(s, &row, "desk.test")
	for text, want := range map[string]bool{
		id: true, "<" + strings.ToUpper(id) + ">": true, strings.Replace(id, "desk.test", "elsewhere.test", 1): true,
		newID(other, &row, "desk.test"): false, "": false, "notice.a.b.c@desk.test": false, strings.TrimPrefix(id, "notice."): false,
	} {
		if n.Named(text) != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
}
