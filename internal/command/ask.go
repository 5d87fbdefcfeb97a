package command

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/deskbell/deskbell/internal/boot"
	"github.com/deskbell/deskbell/internal/ops"
	"github.com/spf13/cobra"
)

// ask does something on the desk of the data folder: the running desk is asked
// through its control file, else offline opens the folder and does it. The
// answer is the same either way; out may be nil.
func ask(c *cobra.Command, verb string, in, out any, offline func(*boot.Desk) (any, error)) error {
	dir := dirOf(c)
	running, err := ops.Running(dir)
	if err != nil {
		return err
	}
	if running != nil {
		return askRunning(running, verb, in, out)
	}
	d, err := boot.Open(boot.Options{Dir: dir, Version: Version})
	if err != nil {
		return err
	}
	defer d.Close()
	answer, err := offline(d)
	if err != nil || out == nil {
		return err
	}
	text, err := json.Marshal(answer)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, out)
}

func askRunning(desk *ops.Control, verb string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequest(http.MethodPost, desk.URL+"/api/control/"+verb, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Deskbell-Control", desk.Token)
	client := &http.Client{Timeout: 2 * time.Minute}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("the desk that runs on this folder does not answer on %s: %w", desk.URL, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		var failure struct {
			Message string `json:"message"`
		}
		if json.NewDecoder(resp.Body).Decode(&failure) != nil || failure.Message == "" {
			return fmt.Errorf("the running desk answered %s", resp.Status)
		}
		return errors.New(failure.Message)
	}
	if out == nil {
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(out)
}
