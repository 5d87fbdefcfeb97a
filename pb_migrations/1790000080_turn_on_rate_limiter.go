package migrations

import "github.com/pocketbase/pocketbase/core"

// PocketBase's rate limiter is off by default. The rules are for strangers and
// for guessing: what signed-in agents and API keys do is not limited here.
func init() {
	core.AppMigrations.Register(func(app core.App) error {
		s := app.Settings()
		s.Meta.AppName = "Deskbell"
		s.RateLimits.Enabled = true
		s.RateLimits.Rules = []core.RateLimitRule{
			{Label: "*:auth", MaxRequests: 30, Duration: 60},
			{Label: "*:requestPasswordReset", MaxRequests: 5, Duration: 60},
			{Label: "/api/public/", MaxRequests: 120, Duration: 60},
			{Label: "/api/setup", MaxRequests: 60, Duration: 60},
			{Label: "/api/batch", MaxRequests: 3, Duration: 1},
			{Label: "/api/collections/", MaxRequests: 120, Duration: 10, Audience: core.RateLimitRuleAudienceGuest},
		}
		return app.Save(s)
	}, func(app core.App) error {
		s := app.Settings()
		s.RateLimits.Enabled = false
		return app.Save(s)
	})
}
