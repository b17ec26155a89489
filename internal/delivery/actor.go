package delivery

// Actor is who does something: a person, a program's account, a forge's delivery, a runner, or
// Shiplock itself.
type Actor struct {
	Kind ActorKind `json:"kind"`
	Name string    `json:"name"`
}

// ActorKind says what sort of actor it is.
type ActorKind string

const (
	ActorUser ActorKind = "user"
	// ActorService is an account of a program, such as a CI system.
	ActorService ActorKind = "service"
	ActorHook    ActorKind = "hook"
	ActorRunner  ActorKind = "runner"
	ActorSystem  ActorKind = "system"
)

// System acts when nobody asked: automatic releases, retries, expiry.
func System() Actor { return Actor{Kind: ActorSystem, Name: "shiplock"} }

func (a Actor) String() string {
	if a.Kind == ActorUser {
		return a.Name
	}
	return string(a.Kind) + ":" + a.Name
}
