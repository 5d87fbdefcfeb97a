package command

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestWrongUsageOfServeTouchesNothing checks the exit code and the sentence of
// flags and domains that don't go together; the data folder is not made.
func TestWrongUsageOfServeTouchesNothing(t *testing.T) {
	for args, says := range map[string]string{
		"localhost":                                         "no domain",
		"https://help.example.com":                          "write it alone",
		"help.example.com 203.0.113.5":                      "is an address",
		"--https :8443":                                     "--https needs a domain",
		"--acme-directory https://x.test/":                  "--acme-directory needs a domain",
		"help.example.com --tls-cert cert.pem":              "by itself",
		"help.example.com --tls-key key.pem":                "by itself",
		"help.example.com --no-such-flag":                   "unknown flag",
		"help.example.com --http :80 --https=a --tls-key k": "by itself",
	} {
		dir := filepath.Join(t.TempDir(), "data")
		root := rootCommand()
		root.SetArgs(append([]string{"serve", "--dir", dir}, strings.Fields(args)...))
		root.SetOut(new(bytes.Buffer))
		var out bytes.Buffer
		if code := report(root.ExecuteContext(context.Background()), &out); code != 2 || !strings.Contains(out.String(), says) {
			t.Errorf("%s: exit %d, %s", args, code, out.String())
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%s: the data folder was made", args)
		}
	}
}

func TestDomainsAreReadOnce(t *testing.T) {
	got, err := domains([]string{"Help.Example.com.", "mx.example.com", "help.example.com"})
	if err != nil || strings.Join(got, " ") != "help.example.com mx.example.com" {
		t.Errorf("got %v, %v", got, err)
	}
}
