package said

import (
	"regexp"
	"strings"
)

// Refused is why an API server does not take an object.
type Refused int

const (
	RefusedUnknown Refused = iota
	// RefusedQuota: a quota of the namespace is used up.
	RefusedQuota
	// RefusedUnstated: a quota counts what the object does not state.
	RefusedUnstated
	// RefusedLimits: the namespace limits what one container, pod or claim may ask for.
	RefusedLimits
	// RefusedSecurity: the namespace's Pod Security level.
	RefusedSecurity
	// RefusedPolicy: a ValidatingAdmissionPolicy.
	RefusedPolicy
	// RefusedWebhook: an admission webhook said no.
	RefusedWebhook
	// RefusedAway: an admission webhook was to be asked and did not answer.
	RefusedAway
	// RefusedImmutable: a field that cannot be changed would be.
	RefusedImmutable
	// RefusedInvalid: a value that is none.
	RefusedInvalid
	// RefusedConflict: another field manager owns the field.
	RefusedConflict
	// RefusedAccess: our account may not do that.
	RefusedAccess
	// RefusedNamespace: the namespace is not there, or on its way out.
	RefusedNamespace
	// RefusedKind: the cluster does not know such objects.
	RefusedKind
)

// Refusal is what an API server said of an object that it did not take.
type Refusal struct {
	Why Refused
	// By is the quota, webhook, policy, level, field manager, account, namespace or kind.
	By string
	// Field is a path within the object.
	Field string
	// Said is what is to be read in the server's own words, without what names the
	// object.
	Said string
}

var (
	quotaForm     = regexp.MustCompile(`exceeded quota: ([^,]+), (requested: .*, limited: [^: ]*)`)
	unstatedForm  = regexp.MustCompile(`failed quota: ([^:]+): (must specify .*)$`)
	limitsForm    = regexp.MustCompile(`((?:minimum|maximum) \S+ usage per .*|\S+ max limit to request ratio per .*)$`)
	securityForm  = regexp.MustCompile(`violates PodSecurity "([^"]+)": (.*)$`)
	policyForm    = regexp.MustCompile(`(?:ValidatingAdmissionPolicy|policy) ['"]([^'"]+)['"](?: with binding ['"][^'"]*['"])? denied request: (.*)$`)
	webhookForm   = regexp.MustCompile(`admission webhook "([^"]+)" denied the request(?:: (.*)| without explanation)?$`)
	awayForm      = regexp.MustCompile(`failed calling webhook "([^"]+)"(?:: (.*)|;.*)$`)
	conflictForm  = regexp.MustCompile(`Apply failed with \d+ conflicts?: conflicts? with "([^"]+)"(?:[^:]*(?:\d\d:\d\d:\d\d\S*)?): ?(?:- )?(\.\S+)`)
	accessForm    = regexp.MustCompile(`User "([^"]+)" (cannot .*)$`)
	namespaceForm = regexp.MustCompile(`namespaces "([^"]+)" not found|unable to create new content in namespace (\S+) because it is being terminated`)
	kindForm      = regexp.MustCompile(`no matches for kind "([^"]+)"|the server could not find the requested resource`)
	fieldForm     = regexp.MustCompile(`^\[?([A-Za-z][\w.\[\]"/-]*): (?:Invalid value|Forbidden|Required value|Unsupported value|Duplicate value)`)
)

// ReadRefusal reads an API server's message about an object, or a controller's that
// quotes one.
func ReadRefusal(words string) Refusal {
	words = once(strings.Join(strings.Fields(words), " "))
	for _, f := range []struct {
		why  Refused
		form *regexp.Regexp
	}{
		{RefusedQuota, quotaForm}, {RefusedUnstated, unstatedForm}, {RefusedSecurity, securityForm}, {RefusedPolicy, policyForm},
		{RefusedWebhook, webhookForm}, {RefusedAway, awayForm}, {RefusedConflict, conflictForm}, {RefusedAccess, accessForm},
	} {
		if m := f.form.FindStringSubmatch(words); m != nil {
			r := Refusal{Why: f.why, By: Line(m[1]), Said: Line(m[2])}
			if f.why == RefusedConflict {
				r.Field, r.Said = r.Said, Line(words)
			}
			return r
		}
	}
	if m := limitsForm.FindString(words); m != "" {
		return Refusal{Why: RefusedLimits, Said: Line(strings.TrimSuffix(m, "]"))}
	}
	if m := namespaceForm.FindStringSubmatch(words); m != nil {
		return Refusal{Why: RefusedNamespace, By: Line(m[1] + m[2]), Said: Line(words)}
	}
	if m := kindForm.FindStringSubmatch(words); m != nil {
		return Refusal{Why: RefusedKind, By: Line(m[1]), Said: Line(words)}
	}
	return invalid(words)
}

// once takes off what an error that wraps another repeats of it: "a: a".
func once(words string) string {
	if half := len(words) / 2; half > 0 && words[:half-1]+": "+words[:half-1] == words {
		return words[:half-1]
	}
	return words
}

// invalid reads `Deployment.apps "shop" is invalid: spec.selector: Invalid value: …:
// field is immutable`. The value may be long, and says little.
func invalid(words string) Refusal {
	_, why, ok := strings.Cut(words, " is invalid: ")
	if !ok {
		return Refusal{Said: Line(words)}
	}
	r := Refusal{Why: RefusedInvalid, Said: Line(why)}
	if m := fieldForm.FindStringSubmatch(why); m != nil {
		r.Field = Line(m[1])
	}
	if has(why, "is immutable", "may not change once set", "updates to statefulset spec", "spec is immutable") {
		r.Why = RefusedImmutable
	}
	return r
}
