package richtext

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// The vectors are other people's and stay outside the repository; where they
// lie beside it, their own scorer judges the sanitiser. The test binary plays
// the command: started with this variable it sanitises standard input.
const asCommand = "DESKBELL_TEST_HTML_SANITIZE"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) == "" {
		os.Exit(m.Run())
	}
	in, err := io.ReadAll(os.Stdin)
	if err != nil {
		os.Exit(1)
	}
	if _, err := io.WriteString(os.Stdout, Sanitize(string(in))); err != nil {
		os.Exit(1)
	}
}

func TestCorpusReachesThresholds(t *testing.T) {
	corpus, err := filepath.Abs("../../../shared/corpus")
	if err != nil {
		t.Fatal(err)
	}
	python, missing := exec.LookPath("python3")
	if _, err := os.Stat(filepath.Join(corpus, "score.py")); err != nil || missing != nil {
		t.Skip("no corpus beside the repository, or no python3")
	}
	if testing.Short() {
		t.Skip("starts one process a vector")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, filepath.Join(corpus, "score.py"), "--html", filepath.Join(corpus, "email/html.json"),
		"--cmd", "env GOMAXPROCS=1 GOGC=off "+asCommand+"=1 "+self, "--min", filepath.Join(corpus, "thresholds-html.json"), "--show", "5")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
		return
	}
	t.Logf("%s", out)
}
