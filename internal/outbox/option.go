package outbox

import (
	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/option"
)

// SettingPaused is the key of the switch that holds automatic mail.
const SettingPaused = "mail.auto_paused"

func init() {
	option.Register(desk.Field{
		Key: SettingPaused, Label: "Hold automatic mail", Kind: desk.FieldBool,
		Help: "Automatic mail waits until this is off again; replies of agents go out as usual.",
	})
}
