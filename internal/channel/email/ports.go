package email

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
)

// portPatience bounds the try of each port.
const portPatience = 5 * time.Second

// submission are the ports by which mail leaves.
var submission = []int{465, 587, 25}

type portsInput struct {
	Host string `json:"host"` // of the server for sending
}

// shownPorts says which ports of a server this machine reaches.
type shownPorts struct {
	Host  string      `json:"host"`
	Text  string      `json:"text"` // one sentence about them all
	Items []shownPort `json:"items"`
}

// shownPort is one port. The states reach the API: open, refused (nothing answers
// there), silent (something in between swallows it), failed (the host can't be
// found or reached).
type shownPort struct {
	Port  int    `json:"port"`
	State string `json:"state"`
	Text  string `json:"text"`
}

// tryPorts connects to the ports of a mail server by which mail leaves, all at
// once, and says nothing there.
func (s *Service) tryPorts(ctx context.Context, in portsInput) (shownPorts, error) {
	server := Server{Host: in.Host, Port: submission[0], Security: SecurityTLS}
	if err := server.complete("smtp"); err != nil {
		return shownPorts{}, err
	}
	shown := shownPorts{Host: server.Host, Items: make([]shownPort, len(submission))}
	var refusal error
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i, port := range submission {
		wg.Go(func() {
			defer s.recovered("try a port")
			err := s.tryPort(ctx, server.Host, port)
			shown.Items[i] = portOf(server.Host, port, err)
			mu.Lock()
			defer mu.Unlock()
			if own := (*desk.Error)(nil); errors.As(err, &own) {
				refusal = own
			}
		})
	}
	wg.Wait()
	if refusal != nil { // the guard lets nobody look there
		return shownPorts{}, refusal
	}
	shown.Text = portSummary(server.Host, shown.Items)
	return shown, nil
}

func (s *Service) tryPort(ctx context.Context, host string, port int) error {
	ctx, cancel := context.WithTimeout(ctx, portPatience)
	defer cancel()
	c, err := s.dialer.dial(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(port)))
	if err != nil {
		return err
	}
	return c.Close()
}

func portOf(host string, port int, err error) shownPort {
	p := shownPort{Port: port, State: "open", Text: fmt.Sprintf("%s answers on port %d.", host, port)}
	var timeout net.Error
	switch {
	case err == nil:
	case errors.Is(err, syscall.ECONNREFUSED):
		p.State, p.Text = "refused", fmt.Sprintf("Nothing answers on port %d of %s.", port, host)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		p.State, p.Text = "silent", fmt.Sprintf("Port %d of %s does not answer; a firewall may be in between.", port, host)
	default:
		p.State, p.Text = "failed", explainNetwork(err, Server{Host: host, Port: port}, "smtp")
	}
	return p
}

// portSummary says what follows from the ports.
func portSummary(host string, all []shownPort) string {
	state := map[int]string{}
	for _, p := range all {
		state[p.Port] = p.State
	}
	switch {
	case state[465] == "open":
		return fmt.Sprintf("%s is reached; use port 465 with TLS.", host)
	case state[587] == "open":
		return fmt.Sprintf("%s is reached; use port 587 with STARTTLS.", host)
	case state[25] == "open":
		return fmt.Sprintf("%s is reached on port 25 alone.", host)
	case state[25] == "silent" && (state[465] == "refused" || state[587] == "refused"):
		return "Port 25 is closed here, as at most providers, and " + host + " takes mail on no other. Send by a relay on port 587."
	case state[465] == "silent" && state[587] == "silent":
		return fmt.Sprintf("This machine reaches no port for mail of %s: 25, 465 and 587 are closed here. Ask its provider to open port 587, or send by a relay that takes mail on another port, such as 2525.", host)
	case state[25] == "failed":
		return all[0].Text
	}
	return fmt.Sprintf("%s takes mail on none of the ports 25, 465 and 587. Check the host name, or send by a relay.", host)
}
