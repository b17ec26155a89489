package phrase

import (
	"cmp"
	"slices"
	"strings"
	"sync"
)

// Phrase is one thing that is said, in every language.
type Phrase struct {
	// Code names it; empty for what is known by its English form.
	Code string
	// When limits it to arguments: "signal=SIGKILL", or "path" for any value. Of the
	// phrases of a code the first that fits is said.
	When   string
	En, Zh string
	// NextEn and NextZh say what the reader can do now.
	NextEn, NextZh string
}

// catalogue is everything that is said.
var catalogue = func() []Phrase {
	var all []Phrase
	for _, area := range [][]Phrase{
		runs,
		releases,
		approvals,
		steps,
		headlines,
		topics,
		versions,
		missing,
		apps,
		workloads,
		advices,
		plans,
		hooks,
		words,
		verbs,
		refusals,
		people,
		peopleHelp,
		manifests,
		documents,
		found,
		trouble,
		registries,
		console,
		columns,
		lookings,
		commands,
		secrets,
		audits,
		story,
		applogs,
		checkups,
		diffs,
		access,
		windows,
		chats,
	} {
		all = append(all, area...)
	}
	return all
}()

var byCode = func() map[string][]Phrase {
	m := map[string][]Phrase{}
	for _, p := range catalogue {
		if p.Code != "" {
			m[p.Code] = append(m[p.Code], p)
		}
	}
	return m
}()

// AdviceArg is the argument of a Cause that names the phrase of what to do next,
// where that does not follow from the Cause's own code.
const AdviceArg = "advice"

// Say words a code; ok is false when it is not known, or an argument is missing.
func Say(l Lang, code string, args map[string]string) (text, next string, ok bool) {
	p, ok := find(code, args)
	if !ok {
		return "", "", false
	}
	if text, ok = fill(parse(p.in(l)), l, args); !ok {
		return "", "", false
	}
	if advice, found := find(args[AdviceArg], args); found {
		next, _ = fill(parse(advice.in(l)), l, args)
	} else {
		next, _ = fill(parse(p.next(l)), l, args)
	}
	return Line(text), Line(next), true
}

// Known tells whether a code has a phrase.
func Known(code string) bool { return len(byCode[code]) > 0 }

func find(code string, args map[string]string) (Phrase, bool) {
	for _, p := range byCode[code] {
		name, value, exact := strings.Cut(p.When, "=")
		if p.When == "" || exact && args[name] == value || !exact && args[name] != "" {
			return p, true
		}
	}
	return Phrase{}, false
}

func (p Phrase) in(l Lang) string {
	if l == Chinese {
		return p.Zh
	}
	return p.En
}

func (p Phrase) next(l Lang) string {
	if l == Chinese {
		return p.NextZh
	}
	return p.NextEn
}

// In says an English text of ours in a language. Text that is not ours stays as it
// is: of "theirs: ours; ours: theirs" the parts that are ours are translated.
func In(l Lang, text string) string {
	if l != Chinese || text == "" {
		return text
	}
	if paragraphs := strings.Split(text, "\n\n"); len(paragraphs) > 1 {
		return inEach(l, paragraphs, "\n\n", "\n\n")
	}
	if said, ok := translateEach(strings.Split(text, "; ")); ok {
		return said
	}
	if said, ok := translate(text); ok {
		return said
	}
	for _, list := range []struct{ mark, joint string }{{"\n", "\n"}, {"; ", "；"}} {
		if parts := strings.Split(text, list.mark); len(parts) > 1 {
			return inEach(l, parts, list.mark, list.joint)
		}
	}
	return inChain(strings.Split(text, ": "))
}

// translateEach finds the Chinese for a list that is ours item by item: a template with
// an argument might take several for one.
func translateEach(items []string) (string, bool) {
	if len(items) < 2 {
		return "", false
	}
	said := make([]string, len(items))
	for i, item := range items {
		var ok bool
		if said[i], ok = translate(item); !ok {
			return "", false
		}
	}
	return strings.Join(said, "；"), true
}

// inEach translates the parts of a list. It keeps its marks unless all of it is ours.
func inEach(l Lang, parts []string, mark, joint string) string {
	for i, part := range parts {
		if parts[i] = In(l, part); parts[i] == part {
			joint = mark
		}
	}
	return strings.Join(parts, joint)
}

// inChain translates "what: why: why" link by link, several that are one phrase at
// once.
func inChain(links []string) string {
	text, before := "", false
	for i := 0; i < len(links); {
		said, n, ours := links[i], 1, false
		for end := len(links); end > i; end-- {
			text := strings.Join(links[i:end], ": ")
			if i > 0 && !strings.Contains(text, " ") {
				continue // a single word after somebody else's may be theirs
			}
			if zh, ok := translate(text); ok {
				said, n, ours = zh, end-i, true
				break
			}
		}
		switch {
		case i == 0:
		case ours || before:
			text += "："
		default:
			text += ": "
		}
		text, before = text+said, ours
		i += n
	}
	return text
}

// form is a template that English text is recognised by.
type form struct {
	en, zh []part
}

// forms holds what has no arguments by its text, and the rest with what says most
// before what would match it too.
var forms = sync.OnceValues(func() (map[string]string, []form) {
	exact := map[string]string{}
	var open []form
	for _, p := range catalogue {
		for _, pair := range [][2]string{{p.En, p.Zh}, {p.NextEn, p.NextZh}} {
			en := parse(pair[0])
			switch {
			case pair[0] == "":
			case !strings.ContainsAny(pair[0], "{«"):
				exact[pair[0]] = cmp.Or(exact[pair[0]], pair[1])
			case telling(en): // another would recognise anything
				open = append(open, form{en, parse(pair[1])})
			}
		}
	}
	slices.SortStableFunc(open, func(a, b form) int { return cmp.Compare(said(b.en), said(a.en)) })
	return exact, open
})

// telling tells whether a template says enough to be recognised by.
func telling(parts []part) bool {
	if parts[0].literal == "" {
		words := 0
		for _, p := range parts {
			words += len(strings.Fields(p.literal))
		}
		return words >= 2 && said(parts) >= len(" or newer")
	}
	return said(parts) >= len(" or newer") || len(parts[0].literal) >= len("Log: ")
}

// said is how much of a template is the same each time.
func said(parts []part) int {
	n := 0
	for _, p := range parts {
		n += len(p.literal)
	}
	return n
}

// translate finds the Chinese for a whole text.
func translate(text string) (string, bool) {
	exact, open := forms()
	if said, ok := exact[text]; ok {
		return said, true
	}
	for _, f := range open {
		args := map[string]string{}
		if !match(f.en, text, args) {
			continue
		}
		if text, ok := fill(f.zh, Chinese, args); ok {
			return text, true
		}
	}
	return "", false
}
