package bench_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/deskbell/deskbell/internal/boot"
	"github.com/deskbell/deskbell/internal/sample"
	"github.com/deskbell/deskbell/internal/setup"
	"github.com/deskbell/deskbell/internal/team"
)

// BenchmarkFill makes sample tickets of three messages.
func BenchmarkFill(b *testing.B) {
	d, err := boot.Open(boot.Options{Dir: filepath.Join(b.TempDir(), "desk")})
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close()
	if _, err := d.Setup.Do(context.Background(), setup.Input{Company: "Bench", Address: "support@desk.test", Owner: setup.Owner{Name: "Owner", Email: "owner@people.test", Password: password}}); err != nil {
		b.Fatal(err)
	}
	first, err := team.First(d.App)
	if err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	if err := sample.New(d.App, d.Log, d.Clock, d.Tickets, sample.Options{Tickets: b.N, Seed: 1, Teams: []string{first}}).Fill(); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tickets/s")
}
