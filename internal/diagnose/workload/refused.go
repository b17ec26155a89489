package workload

import (
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/delivery/phrase"
	"github.com/shiplock/shiplock/internal/diagnose/said"
)

// Refused turns what an API server says of an object that it does not take, such as
// "Deployment shop", into a Cause. final: asking again with the same object is in vain.
func Refused(object, namespace, message string) (cause delivery.Cause, final bool) {
	f := refusal(object, namespace, message)
	_, r := rank(f.code)
	return f.cause(), r.over(0, 0, 0)
}

// refusals are the codes of what an API server says.
var refusals = map[said.Refused]string{
	said.RefusedQuota:     Quota,
	said.RefusedUnstated:  Unstated,
	said.RefusedLimits:    Limits,
	said.RefusedSecurity:  Security,
	said.RefusedPolicy:    Policy,
	said.RefusedWebhook:   Webhook,
	said.RefusedAway:      Away,
	said.RefusedImmutable: Immutable,
	said.RefusedInvalid:   Invalid,
	said.RefusedConflict:  Conflict,
	said.RefusedAccess:    Access,
	said.RefusedNamespace: Namespace,
	said.RefusedKind:      Kind,
	said.RefusedUnknown:   Refusing,
}

func refusal(object, namespace, words string) finding {
	r := said.ReadRefusal(words)
	f := finding{code: refusals[r.Why], words: []string{said.Line(words)}}
	f.args = given("object", object, "namespace", namespace, "by", r.By, "field", r.Field, "said", r.Said)
	if r.Why == said.RefusedQuota {
		f.args["said"] = shortfall(r.Said)
	}
	if m, ok := said.ReadMissing(words); ok && r.Why == said.RefusedUnknown {
		f.code, f.args = Configuration, missing(m, namespace)
	}
	return f
}

// missing are the arguments of a Cause about an object that is not there.
func missing(m said.Missing, namespace string) delivery.Args {
	args := given("kind", m.Kind, "name", m.Name, "key", m.Key, "namespace", namespace)
	if m.Key != "" {
		args[phrase.AdviceArg] = "pod.key"
	}
	return args
}

// given are the arguments that are known, of names and values.
func given(pairs ...string) delivery.Args {
	args := delivery.Args{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			args[pairs[i]] = pairs[i+1]
		}
	}
	return args
}
