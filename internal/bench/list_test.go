package bench_test

import (
	"testing"

	"github.com/deskbell/deskbell/internal/desktest"
	"github.com/deskbell/deskbell/internal/sample"
	"github.com/deskbell/deskbell/internal/team"
)

// BenchmarkList reads the first page of a view over HTTP among 20,000 tickets.
func BenchmarkList(b *testing.B) {
	d := desktest.Start(b, desktest.Options{})
	first, err := team.First(d.App)
	if err != nil {
		b.Fatal(err)
	}
	if err := sample.New(d.App, d.Log, d.Clock, d.Desk.Tickets, sample.Options{Tickets: 20_000, Messages: 1, Seed: 1, Teams: []string{first}}).Fill(); err != nil {
		b.Fatal(err)
	}
	for _, list := range []string{"view=all", "view=unassigned", "view=all&status=new,open"} {
		b.Run(list, func(b *testing.B) {
			for b.Loop() {
				d.Get("/api/desk/tickets?limit=50&"+list, nil)
			}
		})
	}
}
