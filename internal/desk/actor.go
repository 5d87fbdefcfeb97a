package desk

// ActorKind says what sort of actor did something.
type ActorKind string

// The kinds of actor.
const (
	ActorAgent    ActorKind = "agent"
	ActorCustomer ActorKind = "customer"
	ActorSystem   ActorKind = "system" // the desk itself; ID names the part, such as "intake"
	ActorAPIKey   ActorKind = "api_key"
	ActorSuper    ActorKind = "superuser" // somebody in PocketBase's own admin UI or SDK
)

// Actor is who did something: a kind and the id of its record.
// The zero Actor is nobody and may do nothing.
type Actor struct {
	Kind ActorKind
	ID   string
}

// System is the desk itself acting through the named part of it.
func System(part string) Actor { return Actor{Kind: ActorSystem, ID: part} }

// Agent is the agent with the given id.
func Agent(id string) Actor { return Actor{Kind: ActorAgent, ID: id} }

// Customer is the customer with the given id.
func Customer(id string) Actor { return Actor{Kind: ActorCustomer, ID: id} }
