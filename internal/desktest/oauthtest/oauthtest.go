// Package oauthtest is an OAuth2 authorization server for tests, on an
// ephemeral port of loopback. It behaves like Google's or Microsoft's: PKCE,
// codes that work once, refresh tokens that rotate or end, identity tokens, and
// their words when they refuse. It can be told to fail or to be slow, and
// grants can be withdrawn.
package oauthtest

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"
)

// Options say how the server behaves; the zero value is a provider like Google
// with the client "client-id" and "client-secret-x" and the account
// "support@desk.test".
type Options struct {
	ClientID, ClientSecret string
	Account                string        // who consents; see SetAccount
	Microsoft              bool          // refuses in Microsoft's words
	Rotate                 bool          // each refresh gives out another refresh token; a spent one ends the grant
	AccessLife             time.Duration // told of access tokens, 0 = an hour
	RefreshLife            time.Duration // told of refresh tokens, 0 = nothing is told
	NoIdentity             bool          // gives out no identity token
	NoRefresh              bool          // gives out no refresh token
	Scope                  string        // granted, "" = what was asked for
}

// Failure is how the token endpoint answers instead.
type Failure struct {
	Status      int    // of HTTP
	Code        string // of OAuth2, "" for an answer that is no JSON
	Description string
}

// Server is a running server.
type Server struct {
	options Options
	http    *httptest.Server

	mu        sync.Mutex
	account   string
	secret    string
	codes     map[string]*code
	refresh   map[string]*grant // refresh token -> its grant, while it works
	access    map[string]*grant // access token -> its grant, while it works
	spent     map[string]*grant // rotated away
	failure   *Failure
	wait      chan struct{} // the token endpoint answers once it is closed, nil = at once
	exchanges int
	refreshes int
	issued    []string // every secret that was given out
}

type code struct {
	client, redirect, challenge, account, scope string
}

// grant is what one consent gave.
type grant struct {
	account, scope string
	withdrawn      bool
}

// New starts a server that is closed with the test.
func New(t testing.TB, o Options) *Server {
	t.Helper()
	if o.ClientID == "" {
		o.ClientID = "client-id"
	}
	if o.ClientSecret == "" {
		o.ClientSecret = "client-secret-x"
	}
	if o.Account == "" {
		o.Account = "support@desk.test"
	}
	s := &Server{
		options: o, account: o.Account, secret: o.ClientSecret,
		codes: map[string]*code{}, refresh: map[string]*grant{}, access: map[string]*grant{}, spent: map[string]*grant{},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /authorize", s.authorize)
	mux.HandleFunc("POST /token", s.token)
	s.http = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// AuthorizeURL is where a browser is sent.
func (s *Server) AuthorizeURL() string { return s.http.URL + "/authorize" }

// TokenURL is where codes and refresh tokens are exchanged.
func (s *Server) TokenURL() string { return s.http.URL + "/token" }

// Consent does what a person's browser does at authorizeURL, agrees, and
// returns the address the browser is sent back to.
func (s *Server) Consent(t testing.TB, authorizeURL string) string {
	t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Get(authorizeURL)
	if err != nil {
		t.Fatalf("oauthtest: %v", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusFound {
		t.Fatalf("oauthtest: the authorize URL answers %d", resp.StatusCode)
	}
	return resp.Header.Get("Location")
}

// Refuse is Consent by somebody who says no, or at a provider that does.
func (s *Server) Refuse(t testing.TB, authorizeURL, errorCode, description string) string {
	t.Helper()
	u, err := url.Parse(authorizeURL)
	if err != nil {
		t.Fatalf("oauthtest: %v", err)
	}
	q := url.Values{"error": {errorCode}, "state": {u.Query().Get("state")}}
	if description != "" {
		q.Set("error_description", description)
	}
	return u.Query().Get("redirect_uri") + "?" + q.Encode()
}

// Valid tells whether a mail server lets user in with this access token.
func (s *Server) Valid(user, token string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.access[token]
	return g != nil && !g.withdrawn && g.account == user
}

// ExpireAccess ends every access token there is, as time does.
func (s *Server) ExpireAccess() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.access)
}

// Withdraw ends every grant there is, as the account's owner can.
func (s *Server) Withdraw() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range s.refresh {
		g.withdrawn = true
	}
	clear(s.refresh)
	clear(s.access)
}

// SetAccount changes who consents from now on.
func (s *Server) SetAccount(account string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.account = account
}

// SetSecret changes the client's secret.
func (s *Server) SetSecret(secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secret = secret
}

// Fail makes the token endpoint answer so, or with nil as it should.
func (s *Server) Fail(f *Failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failure = f
}

// Hold makes the token endpoint keep its answers back until release is called.
// What it does is done before.
func (s *Server) Hold() (release func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	wait := make(chan struct{})
	s.wait = wait
	return sync.OnceFunc(func() {
		s.mu.Lock()
		s.wait = nil
		s.mu.Unlock()
		close(wait)
	})
}

// Counts tells how often a code and a refresh token were exchanged or refused.
func (s *Server) Counts() (exchanges, refreshes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.exchanges, s.refreshes
}

// Secrets lists every code and token given out so far, and the client's secret.
func (s *Server) Secrets() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{s.secret}, s.issued...)
}

// Close ends the server; twice is fine.
func (s *Server) Close() {
	s.http.CloseClientConnections()
	s.http.Close()
}
