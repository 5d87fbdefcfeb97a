package acmetest

import (
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/miekg/dns"
)

// names is a name server that knows addresses only.
type names struct {
	mu sync.Mutex
	of map[string]net.IP // lower-case name with its final dot -> address
}

// start serves until the test ends and returns the address.
func (n *names) start(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	started := make(chan struct{})
	server := &dns.Server{Listener: l, Handler: dns.HandlerFunc(n.answer), NotifyStartedFunc: func() { close(started) }}
	go func() { _ = server.ActivateAndServe() }()
	<-started
	t.Cleanup(func() { _ = server.Shutdown() })
	return l.Addr().String()
}

func (n *names) set(name, address string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.of[dns.Fqdn(strings.ToLower(name))] = net.ParseIP(address)
}

func (n *names) answer(w dns.ResponseWriter, question *dns.Msg) {
	reply := new(dns.Msg).SetReply(question)
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, q := range question.Question {
		if ip := n.of[strings.ToLower(q.Name)]; ip != nil && q.Qtype == dns.TypeA {
			reply.Answer = append(reply.Answer, &dns.A{Hdr: dns.RR_Header{Name: q.Name, Rrtype: dns.TypeA, Class: dns.ClassINET}, A: ip})
		}
	}
	_ = w.WriteMsg(reply)
}
