//go:build linux

package crash_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/deskbell/deskbell/internal/desktest/smtptest"
)

// smallDisk is a disk that can be filled and emptied.
type smallDisk struct {
	t       *testing.T
	dir     string
	ballast string
}

func newSmallDisk(t *testing.T) *smallDisk {
	dir := mount(t, "24m")
	return &smallDisk{t, dir, filepath.Join(dir, "ballast")}
}

// fill takes all the space there is.
func (s *smallDisk) fill() {
	f, err := os.OpenFile(s.ballast, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		s.t.Error(err)
		return
	}
	defer f.Close()
	for n := 1 << 20; n > 0; n /= 2 {
		for err = nil; err == nil; {
			_, err = f.Write(make([]byte, n))
		}
	}
}

// free gives the space back.
func (s *smallDisk) free() {
	if err := os.Remove(s.ballast); err != nil {
		s.t.Error(err)
	}
}

type banner struct{ ID, Level, Text string }

// fullBanner is the banner of the full disk, nil when there is none.
func (d *desk) fullBanner() *banner {
	var me struct{ Banners []banner }
	d.get("/api/desk/me", &me)
	for _, b := range me.Banners {
		if b.ID == "disk_full" {
			return &b
		}
	}
	return nil
}

// until452 brings mails until the disk has no room for one, and answers it.
func (w *world) until452() *letter {
	r := w.rand(5)
	_, addr, err := w.d.where()
	if err != nil {
		w.t.Fatal(err)
	}
	for i := range 400 {
		l := w.write(r, 25*i+3) // large ones: the database has room inside for some
		switch err := bring(addr, l.from, l.raw); {
		case err == nil:
			w.took(l, l.raw)
		case codeOf(err) == 452:
			return l
		default:
			w.t.Fatalf("mail %d on a full disk: %v", i, err)
		}
	}
	w.t.Fatal("the disk never got full")
	return nil
}

// processorTime is how much processor time the desk has used.
func (d *desk) processorTime() time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", d.process.cmd.Process.Pid))
	if err != nil {
		d.t.Fatal(err)
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+2:]))
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

// TestAFullDisk holds that a desk without space takes no mail that it could
// lose, says so, sends nothing twice, and goes on by itself.
func TestAFullDisk(t *testing.T) {
	t.Parallel()
	w := newWorld(t, size{})
	disk := newSmallDisk(t)
	var fillNow atomic.Bool
	w.sink.SetScript(func(step, _ string) string {
		if step == smtptest.Body && fillNow.CompareAndSwap(true, false) {
			disk.fill() // the 250 of this mail can't be noted down
			w.until452()
		}
		return ""
	})
	w.d = setUp(t, options{dir: filepath.Join(disk.dir, "data"), sink: w.sink, imap: w.box})
	w.killer = &killer{d: w.d}
	w.d.start()
	r := w.rand(1)
	for i := range 4 {
		l := w.write(r, i*2)
		w.offer(l, r)
	}
	w.d.eventually("there are tickets", 20*time.Second, func() bool { return len(pages[struct{ Number int64 }](w.d, "/api/desk/tickets?")) == 4 })

	w.answer(r, 1) // held for a second: it becomes due on the full disk
	fillNow.Store(true)
	w.answer(r, 0) // on its way when the disk gets full
	w.d.eventually("the disk is full", 20*time.Second, func() bool { return !fillNow.Load() && w.d.fullBanner() != nil })
	kept := w.until452()
	for i := range 3 {
		l := w.write(r, 101+2*i)
		w.appendMail(l, l.raw, false)
	}
	w.checkFull(kept)

	disk.free()
	begun := time.Now()
	w.d.eventually("the banner goes by itself", time.Minute, func() bool { return w.d.fullBanner() == nil })
	t.Logf("the banner went after %s", time.Since(begun).Round(100*time.Millisecond))
	w.d.eventually("mail comes in by itself", time.Minute-time.Since(begun), func() bool { return len(w.ledger()) >= len(w.accepted) })
	w.d.eventually("no mail is on its way out any more", time.Minute-time.Since(begun), func() bool {
		var h struct{ Outbox struct{ Waiting int } }
		w.d.get("/api/desk/health", &h)
		return h.Outbox.Waiting == 0
	})
	t.Logf("all is well after %s", time.Since(begun).Round(100*time.Millisecond))
	for s, l := range w.letters {
		w.mu.Lock()
		_, taken := w.accepted[sum(l.raw)]
		w.mu.Unlock()
		if !taken { // its server kept it, and comes again
			w.offer(w.letters[s], r)
		}
	}
	w.size = size{mails: len(w.letters), replies: 2}
	w.quiet()
	f := w.collect()
	w.checkMails(f)
	w.checkLedger(f)
	w.checkReplies(f)
	if n := w.box.Unseen(t); n != 3 {
		t.Errorf("%d mails in the mailbox are unread, not 3", n)
	}
	if code, _ := w.d.process.terminate(12 * time.Second); code != 0 {
		t.Errorf("SIGTERM: exit %d", code)
	}
	checkDatabase(t, w.d.o.dir)
}

// checkFull looks at a desk on a full disk: it goes on reading, says what is
// wrong, and waits without hurry.
func (w *world) checkFull(kept *letter) {
	t := w.t
	t.Helper()
	rows := len(w.ledger())
	before := w.d.processorTime()
	time.Sleep(4 * time.Second)
	if used := w.d.processorTime() - before; used > 2*time.Second {
		t.Errorf("on a full disk the desk used %s of 4 s of the processor", used)
	}
	if b := w.d.fullBanner(); b == nil || b.Level != "danger" || !strings.Contains(b.Text, "disk is full") {
		t.Errorf("banner: %+v", b)
	}
	_, addr, _ := w.d.where()
	if err := bring(addr, kept.from, kept.raw); codeOf(err) != 452 {
		t.Errorf("the same mail again: %v", err)
	}
	if n := len(w.ledger()); n != rows {
		t.Errorf("%d rows came into the ledger", n-rows)
	}
	if n := w.box.Unseen(t); n != 3 {
		t.Errorf("%d mails in the mailbox are unread, not 3", n)
	}
	large := map[string]any{"body": "<p>" + strings.Repeat("On its way. ", 30000) + "</p>", "undo_s": 0}
	status, body, err := w.d.try("POST", "/api/desk/tickets/1001/replies", "", large)
	var told struct{ Message string }
	if err != nil || status != 503 || json.Unmarshal(body, &told) != nil || !strings.Contains(told.Message, "disk is full") {
		t.Errorf("a reply on a full disk: %d %s %v", status, body, err)
	}
	if err := w.d.process.cmd.Process.Signal(syscall.Signal(0)); err != nil {
		t.Errorf("the desk is gone: %v", err)
	}
}

// TestAFullDiskWithoutTraffic holds that the banner goes by itself when nothing
// tries to come in any more.
func TestAFullDiskWithoutTraffic(t *testing.T) {
	t.Parallel()
	w := newWorld(t, size{})
	disk := newSmallDisk(t)
	w.d = setUp(t, options{dir: filepath.Join(disk.dir, "data"), sink: w.sink})
	w.d.start()
	disk.fill()
	w.until452()
	if w.d.fullBanner() == nil {
		t.Error("no banner")
	}
	disk.free()
	begun := time.Now()
	w.d.eventually("the banner goes by itself", time.Minute, func() bool { return w.d.fullBanner() == nil })
	t.Logf("the banner went after %s", time.Since(begun).Round(100*time.Millisecond))

	w.d.process.kill()
	disk.fill()
	code, stdout, stderr := command(t, "serve", "--dir", w.d.o.dir, "--http", "127.0.0.1:0")
	oneSentence(t, code, 1, stdout, stderr, w.d.o.dir, "is full")
	disk.free()
	w.d.down()
	w.d.start()
	if n := len(w.ledger()); n != len(w.accepted) {
		t.Errorf("%d mails are in the ledger, not %d", n, len(w.accepted))
	}
	checkAlive(w.d)
}

// checkAlive holds that a desk takes mail.
func checkAlive(d *desk) {
	d.t.Helper()
	_, addr, err := d.where()
	if err == nil {
		err = bring(addr, "alive@customers.test", "From: alive@customers.test\r\nSubject: still there?\r\n\r\nx\r\n")
	}
	if err != nil {
		d.t.Error(err)
	}
}
