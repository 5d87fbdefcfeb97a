// Package desk is the vocabulary of the house: the nouns, enumerations and
// small rules that every other package speaks. It imports the standard library
// only, knows no database and starts nothing.
//
// Values of the enumerations reach the database, the API, scripts and plugins:
// they are never renamed.
package desk

// Status is where a ticket stands in its life.
type Status string

// The statuses, which are also their categories until an owner adds own ones.
const (
	StatusNew     Status = "new"     // nobody answered yet
	StatusOpen    Status = "open"    // our turn
	StatusPending Status = "pending" // waiting for the customer ("Waiting" on screen)
	StatusOnHold  Status = "on_hold" // waiting for somebody else
	StatusSolved  Status = "solved"  // answered; a customer's mail reopens it
	StatusClosed  Status = "closed"  // done for good; a customer's mail opens a follow-up
)

// Statuses lists every status in the order of a ticket's life.
var Statuses = []Status{StatusNew, StatusOpen, StatusPending, StatusOnHold, StatusSolved, StatusClosed}

// Active reports whether a ticket in this status still asks for work of ours.
func (s Status) Active() bool { return s == StatusNew || s == StatusOpen }

// Finished reports whether a ticket in this status is solved or closed.
func (s Status) Finished() bool { return s == StatusSolved || s == StatusClosed }

// Valid reports whether s is one of Statuses.
func (s Status) Valid() bool { return member(s, Statuses) }

// Priority orders tickets; PriorityNormal is what a new ticket gets.
type Priority string

// The priorities, lowest first.
const (
	PriorityLow    Priority = "low"
	PriorityNormal Priority = "normal"
	PriorityHigh   Priority = "high"
	PriorityUrgent Priority = "urgent"
)

// Priorities lists every priority, lowest first.
var Priorities = []Priority{PriorityLow, PriorityNormal, PriorityHigh, PriorityUrgent}

// Valid reports whether p is one of Priorities.
func (p Priority) Valid() bool { return member(p, Priorities) }

// Type says what kind of matter a ticket is; TypeQuestion is the default.
type Type string

// The ticket types.
const (
	TypeQuestion  Type = "question"
	TypeIncident  Type = "incident"
	TypeRequest   Type = "request"
	TypeComplaint Type = "complaint"
	TypePraise    Type = "praise"
)

// Types lists every ticket type.
var Types = []Type{TypeQuestion, TypeIncident, TypeRequest, TypeComplaint, TypePraise}

// Valid reports whether t is one of Types.
func (t Type) Valid() bool { return member(t, Types) }

// Channel is the way a message came or goes.
type Channel string

// The channels.
const (
	ChannelEmail     Channel = "email"
	ChannelForm      Channel = "form"
	ChannelChat      Channel = "chat"
	ChannelPhone     Channel = "phone"
	ChannelInPerson  Channel = "in_person"
	ChannelSMS       Channel = "sms"
	ChannelWhatsApp  Channel = "whatsapp"
	ChannelMessenger Channel = "messenger"
	ChannelInstagram Channel = "instagram"
	ChannelTelegram  Channel = "telegram"
	ChannelMastodon  Channel = "mastodon"
	ChannelAPI       Channel = "api"
	ChannelPortal    Channel = "portal"
)

// Channels lists every channel.
var Channels = []Channel{
	ChannelEmail, ChannelForm, ChannelChat, ChannelPhone, ChannelInPerson, ChannelSMS, ChannelWhatsApp, ChannelMessenger,
	ChannelInstagram, ChannelTelegram, ChannelMastodon, ChannelAPI, ChannelPortal,
}

// Valid reports whether c is one of Channels.
func (c Channel) Valid() bool { return member(c, Channels) }

// MessageKind says who speaks in a message and to whom.
type MessageKind string

// The message kinds. Only KindReply stops a reply clock; KindNote never leaves the desk.
const (
	KindCustomer MessageKind = "customer" // from a customer
	KindReply    MessageKind = "reply"    // a person of ours to the customer
	KindForward  MessageKind = "forward"  // a person of ours to an outsider
	KindNote     MessageKind = "note"     // internal
	KindAuto     MessageKind = "auto"     // automatic mail of ours
	KindBot      MessageKind = "bot"      // the bot to the customer
	KindSystem   MessageKind = "system"   // a bounce or a notice of a mail system
)

// Outward reports whether a message of this kind goes to somebody outside.
func (k MessageKind) Outward() bool {
	return k == KindReply || k == KindForward || k == KindAuto || k == KindBot
}

// Role is a set of permissions; an agent may hold several and they add up.
type Role string

// The roles that exist so far. The owner holds every permission.
const (
	RoleOwner     Role = "owner"
	RoleAdmin     Role = "admin"
	RoleAssociate Role = "associate"
)

// Roles lists every role that can be given to an agent.
var Roles = []Role{RoleOwner, RoleAdmin, RoleAssociate}

// Valid reports whether r is one of Roles.
func (r Role) Valid() bool { return member(r, Roles) }

// Authentication is the verdict on who really wrote a mail.
type Authentication string

// The verdicts. AuthNone means that nothing spoke for or against the sender.
const (
	AuthPass Authentication = "pass"
	AuthNone Authentication = "none"
	AuthFail Authentication = "fail"
)

func member[T comparable](v T, all []T) bool {
	for _, a := range all {
		if a == v {
			return true
		}
	}
	return false
}
