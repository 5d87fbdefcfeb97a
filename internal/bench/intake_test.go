package bench_test

import (
	"net"
	"net/smtp"
	"strings"
	"sync"
	"testing"

	"github.com/deskbell/deskbell/internal/desktest"
	"github.com/deskbell/deskbell/internal/file"
)

// BenchmarkIntake takes 2 kB mails of new senders on 8 connections until every
// one is a ticket; client and desk share the process.
func BenchmarkIntake(b *testing.B) {
	d := desktest.Start(b, desktest.Options{})
	filler := strings.Repeat("The quick brown fox jumps over the lazy dog, again and again.\r\n", 28)
	b.ResetTimer()
	var wg sync.WaitGroup
	for c := range 8 {
		wg.Go(func() {
			conn, err := net.Dial("tcp", d.SMTP)
			if err != nil {
				b.Error(err)
				return
			}
			client, err := smtp.NewClient(conn, "desk")
			if err != nil {
				b.Error(err)
				return
			}
			defer client.Close()
			for i := c; i < b.N; i += 8 {
				if err := send(client, i, filler); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "accepted/s")
	d.Eventually("every mail is a ticket", func() bool {
		ms, err := file.OldestWaiting(d.App)
		return err == nil && ms == 0
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tickets/s")
}
