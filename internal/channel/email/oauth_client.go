package email

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

// tokenAnswer is what a provider gave out.
type tokenAnswer struct {
	access      string
	life        time.Duration // of access
	refresh     string        // "" for none
	refreshLife time.Duration // 0 when the provider did not say
	scopes      []string      // granted, nil when the provider did not say
	accounts    []string      // names of the account that consented, nil when the provider did not say
}

// newOAuthClient is the HTTP client that speaks to providers. Their hosts may be
// where mail servers may be; no redirect is followed, since the request carries
// secrets.
func newOAuthClient(o Options) *http.Client {
	return &http.Client{
		Timeout: tokenTimeout,
		Transport: &http.Transport{
			DialContext:         o.Guard.DialMail,
			TLSClientConfig:     &tls.Config{RootCAs: o.Roots, MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout: tokenTimeout, MaxIdleConns: 4, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// exchange turns the code of a consent into tokens.
func (k *grants) exchange(ctx context.Context, g Grant, secret, redirect, code, verifier string) (tokenAnswer, *grantError) {
	a, failure := k.retrieve(ctx, g, secret, redirect, func(ctx context.Context, c *oauth2.Config) (*oauth2.Token, error) {
		return c.Exchange(ctx, code, oauth2.VerifierOption(verifier))
	}, code, verifier)
	if failure != nil && failure.code == "invalid_grant" && !failure.known {
		failure.text = k.name(g) + " did not take the answer of its own sign-in page: it was too old or used already. Start again."
	}
	return a, failure
}

// refresh turns a refresh token into an access token.
func (k *grants) refresh(ctx context.Context, g Grant, s grantSecrets) (tokenAnswer, *grantError) {
	if s.refresh == "" {
		return tokenAnswer{}, &grantError{text: "The desk has nothing to sign in with. Connect the mailbox again.", final: true}
	}
	return k.retrieve(ctx, g, s.client, "", func(ctx context.Context, c *oauth2.Config) (*oauth2.Token, error) {
		return c.TokenSource(ctx, &oauth2.Token{RefreshToken: s.refresh}).Token()
	}, s.refresh)
}

// retrieve asks with the client's secret in the body, as most providers want it,
// and where the client is not known by that in the header. secrets are what else
// must not be in an error.
func (k *grants) retrieve(ctx context.Context, g Grant, secret, redirect string, f func(context.Context, *oauth2.Config) (*oauth2.Token, error), secrets ...string) (tokenAnswer, *grantError) {
	ctx = context.WithValue(ctx, oauth2.HTTPClient, k.http)
	c := g.config(secret, redirect)
	token, err := f(ctx, c)
	var refused *oauth2.RetrieveError
	if g.Provider == genericProvider && errors.As(err, &refused) && refused.ErrorCode == "invalid_client" {
		c.Endpoint.AuthStyle = oauth2.AuthStyleInHeader
		token, err = f(ctx, c)
	}
	if err != nil {
		return tokenAnswer{}, k.explain(err, g, append(secrets, secret)...)
	}
	if !strings.EqualFold(token.Type(), "Bearer") {
		return tokenAnswer{}, &grantError{text: k.name(g) + " gives out a kind of token that no mail server takes.", final: true}
	}
	return answerOf(token, g.ClientID), nil
}

func answerOf(t *oauth2.Token, client string) tokenAnswer {
	a := tokenAnswer{access: t.AccessToken, refresh: t.RefreshToken, life: time.Duration(t.ExpiresIn) * time.Second}
	if a.life <= 0 {
		a.life = usualLife
	}
	switch v := t.Extra("refresh_token_expires_in").(type) {
	case float64:
		a.refreshLife = seconds(v)
	case int64:
		a.refreshLife = seconds(float64(v))
	case string:
		n, _ := strconv.ParseFloat(v, 64)
		a.refreshLife = seconds(n)
	}
	if scope, ok := t.Extra("scope").(string); ok {
		a.scopes = strings.Fields(scope)
	}
	if identity, ok := t.Extra("id_token").(string); ok {
		a.accounts = accountsOf(identity, client)
	}
	return a
}

// seconds bounds what a provider says, so that it fits a time.
func seconds(n float64) time.Duration {
	return time.Duration(max(0, min(n, 10*365*24*3600))) * time.Second
}

// accountsOf reads the names of an account out of an OpenID Connect identity
// token for this client. Its signature needs no check: it came from the
// provider itself, over a connection of ours (OpenID Connect Core 3.1.3.7).
func accountsOf(token, client string) []string {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil
	}
	body, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return nil
	}
	var claims struct {
		Audience json.RawMessage `json:"aud"` // a text or a list of them
		Name     string          `json:"preferred_username"`
		Email    string          `json:"email"`
		UPN      string          `json:"upn"`
	}
	if json.Unmarshal(body, &claims) != nil {
		return nil
	}
	var audience []string
	if json.Unmarshal(claims.Audience, &audience) != nil {
		var one string
		_ = json.Unmarshal(claims.Audience, &one)
		audience = []string{one}
	}
	if !slices.Contains(audience, client) {
		return nil
	}
	return slices.DeleteFunc([]string{claims.Name, claims.Email, claims.UPN}, func(s string) bool { return !strings.Contains(s, "@") })
}
