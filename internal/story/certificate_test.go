package story_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/smtp"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/deskbell/deskbell/internal/boot"
	"github.com/deskbell/deskbell/internal/desktest/acmetest"
	"github.com/deskbell/deskbell/internal/desktest/dnstest"
	"github.com/deskbell/deskbell/internal/ops"
	"github.com/pocketbase/pocketbase/core"
)

const publicName = "help.desk.test"

// published is a desk that serves a domain.
type published struct {
	*boot.Desk
	ca          *acmetest.Server
	http, https string // addresses
	out         screen
}

// screen is what the desk printed so far.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func (s *screen) wait(t *testing.T, what string) string {
	t.Helper()
	for range 2000 {
		s.mu.Lock()
		text := s.text.String()
		s.mu.Unlock()
		if strings.Contains(text, what) {
			return text
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("the desk did not say %q but:\n%s", what, s.text.String())
	return ""
}

func publish(t *testing.T, life time.Duration, address string) *published {
	t.Helper()
	http, https := acmetest.FreePort(t), acmetest.FreePort(t)
	p := &published{
		ca:   acmetest.New(t, acmetest.Options{HTTPPort: http, TLSPort: https, Life: life}),
		http: fmt.Sprintf("127.0.0.1:%d", http), https: fmt.Sprintf("127.0.0.1:%d", https),
	}
	if address != "" {
		p.ca.Resolve(publicName, address)
	}
	dir := t.TempDir()
	roots := filepath.Join(dir, "roots.pem")
	if err := os.WriteFile(roots, p.ca.APIPEM, 0o600); err != nil {
		t.Fatal(err)
	}
	var err error
	p.Desk, err = boot.Open(boot.Options{
		Dir: filepath.Join(dir, "data"), SMTPAddr: "127.0.0.1:0", Version: "test", Resolver: &dnstest.Zone{},
		Domains: []string{publicName}, ACMEDirectory: p.ca.Directory, ACMERoots: roots,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- p.Serve(ctx, boot.ServeOptions{HTTPAddr: p.http, HTTPSAddr: p.https, Out: &p.out})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the desk ended: %v", err)
		}
		p.Close()
	})
	return p
}

// client reaches the desk by its name, as if the name pointed here, and follows
// no redirect.
func (p *published) client() *http.Client {
	dial := func(ctx context.Context, _, addr string) (net.Conn, error) {
		to := p.https
		if strings.HasSuffix(addr, ":80") {
			to = p.http
		}
		return new(net.Dialer).DialContext(ctx, "tcp", to)
	}
	return &http.Client{
		Transport:     &http.Transport{DialContext: dial, TLSClientConfig: &tls.Config{RootCAs: p.ca.Issued}, ForceAttemptHTTP2: true, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func (p *published) do(t *testing.T, method, url string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(""))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := p.client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(text)
}

// mailSerial is the number of the certificate that the SMTP listener shows.
func (p *published) mailSerial(t *testing.T, config *tls.Config) string {
	t.Helper()
	c, err := smtp.Dial(p.Mail.SMTPAddr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.StartTLS(config); err != nil {
		t.Fatal(err)
	}
	state, _ := c.TLSConnectionState()
	return state.PeerCertificates[0].SerialNumber.String()
}

// TestADomainIsServedByHTTPS starts a desk on a domain: its certificate comes and
// is renewed by itself, for the pages and for mail, and HTTP leads to HTTPS.
func TestADomainIsServedByHTTPS(t *testing.T) {
	t.Parallel()
	p := publish(t, 12*time.Second, "127.0.0.1")
	text := p.out.wait(t, "works once")
	if !strings.Contains(text, "Deskbell is ready on https://"+publicName+"\n") || !strings.Contains(text, "https://"+publicName+"/setup?token=") {
		t.Errorf("printed:\n%s", text)
	}
	resp, _ := p.do(t, "GET", "https://"+publicName+"/api/health")
	if resp.StatusCode != 200 || resp.ProtoMajor != 2 || resp.Header.Get("Strict-Transport-Security") != "max-age=31536000" {
		t.Errorf("by HTTPS: %s %v", resp.Status, resp.Header)
	}
	first := resp.TLS.PeerCertificates[0].SerialNumber.String()
	strict := &tls.Config{ServerName: publicName, RootCAs: p.ca.Issued}
	if got := p.mailSerial(t, strict); got != first {
		t.Error("mail has another certificate than the pages")
	}
	p.mailSerial(t, &tls.Config{InsecureSkipVerify: true}) // names no host, as most mail servers

	p.checkHTTP(t)
	p.checkCommands(t)
	p.checkBackup(t)

	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		resp, _ = p.do(t, "GET", "https://"+publicName+"/api/health")
		if second := resp.TLS.PeerCertificates[0].SerialNumber.String(); second != first {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the certificate is not renewed")
		}
	}
	if got := p.mailSerial(t, strict); got == first {
		t.Error("mail still shows the old certificate")
	}
}

// checkHTTP checks what HTTP does: it leads to HTTPS and takes nothing.
func (p *published) checkHTTP(t *testing.T) {
	t.Helper()
	for _, c := range []struct {
		method, url string
		status      int
		location    string
	}{
		{"GET", "http://" + publicName + "/setup?token=1", 301, "https://" + publicName + "/setup?token=1"},
		{"HEAD", "http://" + strings.ToUpper(publicName) + "/", 301, "https://" + publicName + "/"},
		{"GET", "http://evil.test//x.test/", 301, "https://" + publicName + "//x.test/"},
		{"POST", "http://" + publicName + "/api/collections/agents/auth-with-password", 403, ""},
		{"GET", "http://" + publicName + "/.well-known/acme-challenge/unknown", 404, ""},
	} {
		resp, _ := p.do(t, c.method, c.url)
		if resp.StatusCode != c.status || resp.Header.Get("Location") != c.location {
			t.Errorf("%s %s: %s to %q", c.method, c.url, resp.Status, resp.Header.Get("Location"))
		}
	}
}

// checkCommands checks that a command on this machine reaches the desk, and only
// what is for commands.
func (p *published) checkCommands(t *testing.T) {
	t.Helper()
	control, err := ops.Running(p.Dir)
	if err != nil || !strings.HasPrefix(control.URL, "http://127.0.0.1:") {
		t.Fatalf("control: %+v, %v", control, err)
	}
	for path, want := range map[string]int{"/api/control/key": 401, "/api/health": 404, "/": 404} {
		resp, err := http.Post(control.URL+path, "application/json", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s on loopback: %s, want %d", path, resp.Status, want)
		}
	}
}

// checkBackup checks that a backup holds no certificate, sealed or not.
func (p *published) checkBackup(t *testing.T) {
	t.Helper()
	if err := p.App.CreateBackup(t.Context(), "test.zip"); err != nil {
		t.Fatal(err)
	}
	r, err := zip.OpenReader(filepath.Join(p.Dir, core.LocalBackupsDirName, "test.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for _, f := range r.File {
		if strings.Contains(f.Name, "autocert") || strings.Contains(f.Name, publicName) {
			t.Errorf("a backup holds %s", f.Name)
		}
	}
	if found, _ := filepath.Glob(filepath.Join(p.Dir, core.LocalAutocertCacheDirName, "*", publicName)); len(r.File) == 0 || len(found) != 1 {
		t.Errorf("%d files in the backup, %d certificates beside", len(r.File), len(found))
	}
}

// TestWithoutCertificateTheDeskStaysUp starts a desk on a domain that points
// nowhere: it says so, takes mail, and is there once the domain points here.
func TestWithoutCertificateTheDeskStaysUp(t *testing.T) {
	t.Parallel()
	p := publish(t, 0, "")
	text := p.out.wait(t, "tries again at")
	if !strings.Contains(text, "No certificate for "+publicName+": ") || strings.Contains(text, "ready on") {
		t.Errorf("printed:\n%s", text)
	}
	if resp, body := p.do(t, "GET", "http://"+publicName+"/"); resp.StatusCode != 503 || !strings.Contains(body, "no certificate yet") {
		t.Errorf("by HTTP: %s %s", resp.Status, body)
	}
	p.mailSerial(t, &tls.Config{InsecureSkipVerify: true}) // mail comes in, protected all the same
	if _, err := ops.Running(p.Dir); err != nil {
		t.Errorf("commands do not reach the desk: %v", err)
	}
	p.ca.Resolve(publicName, "127.0.0.1")
	p.Certificates.Retry()
	p.out.wait(t, "Deskbell is ready on https://"+publicName)
	if resp, _ := p.do(t, "GET", "https://"+publicName+"/api/health"); resp.StatusCode != 200 {
		t.Errorf("by HTTPS: %s", resp.Status)
	}
}
