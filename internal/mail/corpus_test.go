package mail

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// The corpus is other people's mail and stays outside the repository; where it
// lies beside it, its own scorer judges the code of this package. The test
// binary plays the command: started with this variable it parses standard
// input and prints JSON.
const asCommand = "DESKBELL_TEST_MAIL_PARSE"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) == "" {
		os.Exit(m.Run())
	}
	raw, err := io.ReadAll(os.Stdin)
	if err != nil {
		os.Exit(1)
	}
	line, err := Parse(raw).JSON()
	if err != nil {
		os.Exit(1)
	}
	if _, err := os.Stdout.Write(line); err != nil {
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
		t.Skip("starts one process a mail")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, filepath.Join(corpus, "score.py"), "--index", filepath.Join(corpus, "email/index.jsonl"),
		"--cmd", "env GOMAXPROCS=1 GOGC=off "+asCommand+"=1 "+self, "--min", filepath.Join(corpus, "thresholds.json"), "--show", "5")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
		return
	}
	t.Logf("%s", out)
}
