package catalog

import (
	"fmt"
	"slices"

	"github.com/shiplock/shiplock/internal/delivery"
)

// The kinds of documents.
const (
	KindApp            = "App"
	KindStack          = "Stack"
	KindEnvironment    = "Environment"
	KindCluster        = "Cluster"
	KindRetention      = "Retention"
	KindRoleBinding    = "RoleBinding"
	KindWindow         = "Window"
	KindCalendar       = "Calendar"
	KindChannel        = "Channel"
	KindApprovalPolicy = "ApprovalPolicy"
	KindDelegation     = "Delegation"
)

// kind is what is to know of one kind of documents.
type kind struct {
	name string
	// bind reads the spec of a document in a file, and checks it.
	bind func(*binder, envelope) delivery.Document
	// recheck holds a document that came without its file to the same rules.
	recheck func(delivery.Document) (delivery.Document, Problems)
	// put lays a stored document into a Set.
	put func(*Set, delivery.Document) error
}

// table has every kind once.
var table = []kind{
	kindOf(KindApp, checkApp, func(s *Set, name string, v delivery.App) { v.Name = name; s.Apps[name] = v }),
	kindOf(KindStack, checkStack, func(s *Set, name string, v delivery.Stack) { v.Name = name; s.Stacks[name] = v }),
	kindOf(KindEnvironment, checkEnvironment, func(s *Set, name string, v delivery.Environment) { v.Name = name; s.Environments[name] = v }),
	kindOf(KindCluster, checkCluster, func(s *Set, name string, v delivery.Cluster) { v.Name = name; s.Clusters[name] = v }),
	kindOf(KindRetention, checkRetention, func(s *Set, _ string, v delivery.Retention) { s.Retention = v }),
	kindOf(KindRoleBinding, checkRoleBinding, func(s *Set, name string, v delivery.Binding) { v.Name = name; s.Bindings[name] = v }),
	kindOf(KindWindow, checkWindow, func(s *Set, name string, v delivery.Window) { v.Name = name; s.Windows[name] = v }),
	kindOf(KindCalendar, checkCalendar, func(s *Set, name string, v delivery.Calendar) { v.Name = name; s.Calendars[name] = v }),
	kindOf(KindChannel, checkChannel, func(s *Set, name string, v delivery.Channel) { v.Name = name; s.Channels[name] = v }),
	kindOf(KindApprovalPolicy, checkApprovalPolicy, func(s *Set, name string, v delivery.ApprovalPolicy) { v.Name = name; s.Approvals[name] = v }),
	kindOf(KindDelegation, checkDelegation, func(s *Set, name string, v delivery.Delegation) { v.Name = name; s.Delegations[name] = v }),
}

func kindOf[T any](name string, check func(name string, spec T, bad report), put func(s *Set, name string, v T)) kind {
	return kind{
		name:    name,
		bind:    func(b *binder, e envelope) delivery.Document { return spec(b, e, check) },
		recheck: func(d delivery.Document) (delivery.Document, Problems) { return respec(d, check) },
		put: func(s *Set, d delivery.Document) error {
			var v T
			err := decode(d, &v)
			if err == nil {
				put(s, d.Name, v)
			}
			return err
		},
	}
}

// lookUp finds a kind by its name.
func lookUp(name string) (k kind, known bool) {
	i := slices.IndexFunc(table, func(k kind) bool { return k.name == name })
	if i < 0 {
		return kind{}, false
	}
	return table[i], true
}

// unknownKind says that there is no such kind, and which one may have been meant.
func unknownKind(name string) string {
	names := make([]string, len(table))
	for i, k := range table {
		names[i] = k.name
	}
	return fmt.Sprintf("unknown kind %q%s", clip(name), DidYouMean(name, names))
}
