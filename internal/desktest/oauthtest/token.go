package oauthtest

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
)

// authorize is the page on which a person agrees; here everybody does at once.
func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case q.Get("client_id") != s.options.ClientID:
		http.Error(w, "The OAuth client was not found.", http.StatusUnauthorized)
		return
	case q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" || q.Get("state") == "" || q.Get("redirect_uri") == "":
		http.Error(w, "invalid_request", http.StatusBadRequest)
		return
	}
	scope := s.options.Scope
	if scope == "" {
		scope = q.Get("scope")
	}
	name := s.give("code")
	s.codes[name] = &code{
		client: q.Get("client_id"), redirect: q.Get("redirect_uri"), challenge: q.Get("code_challenge"), account: s.account, scope: scope,
	}
	http.Redirect(w, r, q.Get("redirect_uri")+"?"+url.Values{"code": {name}, "state": {q.Get("state")}}.Encode(), http.StatusFound)
}

// token exchanges codes and refresh tokens.
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	status, answer := s.exchange(r)
	s.mu.Lock()
	wait := s.wait
	s.mu.Unlock()
	if wait != nil {
		select {
		case <-wait:
		case <-r.Context().Done():
			return
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer)
}

type answer map[string]any

func (s *Server) exchange(r *http.Request) (int, answer) {
	if err := r.ParseForm(); err != nil {
		return http.StatusBadRequest, answer{"error": "invalid_request"}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f := r.PostForm
	if f.Get("grant_type") == "refresh_token" {
		s.refreshes++
	} else {
		s.exchanges++
	}
	if s.failure != nil {
		return s.failure.Status, answer{"error": s.failure.Code, "error_description": s.failure.Description}
	}
	if f.Get("client_id") != s.options.ClientID || subtle.ConstantTimeCompare([]byte(f.Get("client_secret")), []byte(s.secret)) != 1 {
		return s.refuse(http.StatusUnauthorized, "invalid_client", "The provided client secret is invalid.", "AADSTS7000215: Invalid client secret provided.")
	}
	if f.Get("grant_type") == "refresh_token" {
		return s.renew(f)
	}
	return s.redeem(f)
}

func (s *Server) redeem(f url.Values) (int, answer) {
	c := s.codes[f.Get("code")]
	delete(s.codes, f.Get("code"))
	sum := sha256.Sum256([]byte(f.Get("code_verifier")))
	switch {
	case f.Get("grant_type") != "authorization_code":
		return s.refuse(http.StatusBadRequest, "unsupported_grant_type", "Invalid grant_type.", "AADSTS70003: unsupported grant type.")
	case c == nil:
		return s.refuse(http.StatusBadRequest, "invalid_grant", "Bad Request", "AADSTS54005: OAuth2 Authorization code was already redeemed.")
	case c.redirect != f.Get("redirect_uri"):
		return s.refuse(http.StatusBadRequest, "redirect_uri_mismatch", "Bad Request", "AADSTS50011: The redirect URI does not match.")
	case c.challenge != base64.RawURLEncoding.EncodeToString(sum[:]):
		return s.refuse(http.StatusBadRequest, "invalid_grant", "Invalid code verifier.", "AADSTS501481: The Code_Verifier does not match.")
	}
	g := &grant{account: c.account, scope: c.scope}
	out := s.tokens(g)
	if !s.options.NoRefresh {
		s.addRefresh(out, g)
	}
	return http.StatusOK, out
}

func (s *Server) renew(f url.Values) (int, answer) {
	old := f.Get("refresh_token")
	if g := s.spent[old]; g != nil { // somebody else has it too: nobody gets in any more
		g.withdrawn = true
	}
	g := s.refresh[old]
	if g == nil || g.withdrawn {
		return s.refuse(http.StatusBadRequest, "invalid_grant", "Token has been expired or revoked.", "AADSTS50173: The provided grant has expired due to it being revoked.")
	}
	out := s.tokens(g)
	if s.options.Rotate {
		delete(s.refresh, old)
		s.spent[old] = g
		s.addRefresh(out, g)
	}
	return http.StatusOK, out
}

func (s *Server) refuse(status int, code, google, microsoft string) (int, answer) {
	if s.options.Microsoft {
		return status, answer{"error": code, "error_description": microsoft + " Trace ID: 0", "error_codes": []int{0}}
	}
	return status, answer{"error": code, "error_description": google}
}

// tokens gives out an access token and says who consented.
func (s *Server) tokens(g *grant) answer {
	life := s.options.AccessLife.Seconds()
	if life == 0 {
		life = 3600
	}
	access := s.give("access")
	s.access[access] = g
	out := answer{"access_token": access, "token_type": "Bearer", "expires_in": int(life), "scope": g.scope}
	if !s.options.NoIdentity {
		out["id_token"] = s.identity(g)
	}
	return out
}

func (s *Server) addRefresh(out answer, g *grant) {
	token := s.give("refresh")
	s.refresh[token] = g
	out["refresh_token"] = token
	if s.options.RefreshLife > 0 {
		out["refresh_token_expires_in"] = int(s.options.RefreshLife.Seconds())
	}
}

// identity is an OpenID Connect identity token; its signature is for show.
func (s *Server) identity(g *grant) string {
	claims := answer{"iss": s.http.URL, "aud": s.options.ClientID, "sub": "1", "email": g.account}
	if s.options.Microsoft {
		claims = answer{"iss": s.http.URL, "aud": s.options.ClientID, "sub": "1", "preferred_username": g.account}
	}
	body, err := json.Marshal(claims)
	if err != nil {
		panic(err) // texts always marshal
	}
	head := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256","typ":"JWT"}`))
	return head + "." + base64.RawURLEncoding.EncodeToString(body) + ".c2lnbmF0dXJl"
}

// give makes a secret that is easily found in a dump.
func (s *Server) give(kind string) string {
	var b [18]byte
	_, _ = rand.Read(b[:])
	secret := kind + "-" + base64.RawURLEncoding.EncodeToString(b[:])
	s.issued = append(s.issued, secret)
	return secret
}
