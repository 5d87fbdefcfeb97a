package migrations

import "github.com/pocketbase/pocketbase/core"

func init() {
	core.AppMigrations.Register(
		create(teams, teamMembers, agents, sessions, invitations, apiKeys),
		drop("api_keys", "invitations", "sessions", "agents", "team_members", "teams"),
	)
}

func teams() *core.Collection {
	c := base("teams", need("name"), whole("created"))
	c.AddIndex("idx_teams_name", true, "name COLLATE NOCASE", "")
	return c
}

func teamMembers() *core.Collection {
	c := base("team_members", need("team"), need("agent"), whole("created"))
	c.AddIndex("idx_team_members", true, "agent, team", "")
	c.AddIndex("idx_team_members_team", false, "team", "")
	return c
}

func agents() *core.Collection {
	c := core.NewAuthCollection("agents")
	c.ListRule, c.ViewRule, c.CreateRule, c.UpdateRule, c.DeleteRule = nil, nil, nil, nil, nil
	active := "active = true"
	c.AuthRule = &active
	c.Fields.Add(
		need("name"),
		&core.SelectField{Name: "roles", Values: []string{"owner", "admin", "associate"}, MaxSelect: 3},
		flag("active"), text("signature"), whole("created"), whole("last_seen"),
	)
	c.PasswordAuth.Enabled = true
	c.OTP.Enabled, c.MFA.Enabled, c.OAuth2.Enabled, c.AuthAlert.Enabled = false, false, false, false
	c.AuthToken.Duration = 14 * 24 * 60 * 60
	return c
}

func sessions() *core.Collection {
	c := base("sessions", need("agent"), whole("created"), whole("last_seen"), whole("expires"),
		whole("ended"), text("ip"), text("user_agent"))
	c.AddIndex("idx_sessions_agent", false, "agent, created", "")
	return c
}

func invitations() *core.Collection {
	c := base("invitations", hidden(need("token_hash")), text("email"), data("roles"), data("teams"),
		text("invited_by"), whole("created"), whole("expires"), whole("used"), text("used_by"))
	c.AddIndex("idx_invitations_token", true, "token_hash", "")
	return c
}

func apiKeys() *core.Collection {
	c := base("api_keys", need("name"), hidden(need("token_hash")), data("scopes"), whole("created"),
		whole("expires"), whole("last_used"), whole("revoked"))
	c.AddIndex("idx_api_keys_token", true, "token_hash", "")
	return c
}
