package delivery

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Difference is a field that differs between two versions of something. From is empty
// when it comes, and To when it goes; both are as JSON, with secrets hidden.
type Difference struct {
	// Object is KIND/NAME in a cluster, and empty for a field of the Revision itself.
	Object string `json:"object,omitempty"`
	// Field is its path; empty for an object as a whole.
	Field string `json:"field,omitempty"`
	From  string `json:"from,omitempty"`
	To    string `json:"to,omitempty"`
	// By is who else owns the field, if somebody does.
	By string `json:"by,omitempty"`
}

// Preview is what a Revision would change where it is to run.
type Preview struct {
	Changes []Difference
	// Refused says why the cluster would not take an object.
	Refused []Cause
}

// maxShown is the longest value that is shown, in bytes.
const maxShown = 200

var secretive = regexp.MustCompile(`(?i)passw|passwd|pwd|secret|token|credential|private|api_?key|access_?key|auth`)

// Secretive tells whether a variable of this name may hold a secret, so that its value is
// not shown.
func Secretive(name string) bool { return secretive.MatchString(name) }

var userInfo = regexp.MustCompile(`(://[^/\s:@"]*:)[^/\s@"]+@`)

// ShownVariable is the value of a variable as people may see it.
func ShownVariable(name string, v any) string {
	if v != nil && Secretive(name) {
		return "(hidden)"
	}
	return Shown(v)
}

// Shown is a value of JSON as people may see it: secrets are hidden, and what is long is
// described.
func Shown(v any) string {
	if v == nil {
		return ""
	}
	b, err := json.Marshal(hidden(v))
	if err != nil {
		return fmt.Sprintf("%q", err.Error())
	}
	s := userInfo.ReplaceAllString(string(b), "${1}(hidden)@")
	if len(s) > maxShown || strings.Contains(s, `\n`) {
		return Described(v)
	}
	return s
}

// Described tells of a value no more than that it is this one.
func Described(v any) string {
	if v == nil {
		return ""
	}
	return "(" + string(HashJSON(v)[:len("sha256:")+8]) + ")"
}

// hidden copies a value without the secrets in it: of variables, which have their name and
// value beside each other, and of files.
func hidden(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := maps.Clone(v)
		name, _ := v["name"].(string)
		for key, field := range v {
			switch {
			case key == "value" && Secretive(name):
				out[key] = "(hidden)"
			case key == "content":
				out[key] = Described(field)
			default:
				out[key] = hidden(field)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = hidden(v[i])
		}
		return out
	}
	return v
}

// ChangesTo lists what differs in another Revision: the artifact, and field by field what
// it runs with. A nil r has nothing.
func (r *Revision) ChangesTo(to Revision) []Difference {
	from := Revision{}
	if r != nil {
		from = *r
	}
	var all []Difference
	if from.Artifact != to.Artifact {
		all = append(all, Difference{Field: "artifact", From: textOr(string(from.Artifact)), To: textOr(string(to.Artifact))})
	}
	return append(all, compare("config", generic(from.Config), generic(to.Config))...)
}

func textOr(s string) string {
	if s == "" {
		return ""
	}
	return Shown(s)
}

// generic is a value as JSON has it, without what is empty there.
func generic(v any) any {
	b, err := json.Marshal(v)
	var out any
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	if err != nil {
		panic("delivery: value cannot be compared: " + err.Error()) // our own plain types only
	}
	return out
}

// compare goes down both values together; lists are one value.
func compare(path string, from, to any) []Difference {
	a, isMap := from.(map[string]any)
	b, alsoMap := to.(map[string]any)
	if (isMap || from == nil) && (alsoMap || to == nil) && (isMap || alsoMap) {
		names := map[string]bool{}
		for n := range a {
			names[n] = true
		}
		for n := range b {
			names[n] = true
		}
		var all []Difference
		for _, n := range slices.Sorted(maps.Keys(names)) {
			all = append(all, compare(path+"."+n, a[n], b[n])...)
		}
		return all
	}
	if HashJSON(from) == HashJSON(to) {
		return nil
	}
	if name, ok := strings.CutPrefix(path, "config.variables."); ok {
		return []Difference{{Field: path, From: ShownVariable(name, from), To: ShownVariable(name, to)}}
	}
	return []Difference{{Field: path, From: Shown(from), To: Shown(to)}}
}
