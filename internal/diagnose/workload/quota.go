package workload

import (
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/shiplock/shiplock/internal/diagnose/said"
)

// shortfall says how much a quota lacks, of "requested: pods=1, used: pods=4, limited:
// pods=4"; words in another form stay as they are.
func shortfall(words string) string {
	asked, rest, _ := strings.Cut(strings.TrimPrefix(words, "requested: "), ", used: ")
	used, limit, ok := strings.Cut(rest, ", limited: ")
	if !ok {
		return words
	}
	want, have, most := amounts(asked), amounts(used), amounts(limit)
	var list []string
	for _, name := range slices.Sorted(maps.Keys(want)) {
		short := want[name].DeepCopy()
		short.Add(have[name])
		short.Sub(most[name])
		if short.Sign() <= 0 {
			return words
		}
		w, h, m := want[name], have[name], most[name]
		list = append(list, name+" is short by "+short.String()+" ("+w.String()+" asked for, "+h.String()+" of "+m.String()+" used)")
	}
	if len(list) == 0 {
		return words
	}
	return said.Line(strings.Join(list, "; "))
}

// amounts reads "limits.cpu=2,pods=1".
func amounts(list string) map[string]resource.Quantity {
	all := map[string]resource.Quantity{}
	for pair := range strings.SplitSeq(list, ",") {
		name, amount, _ := strings.Cut(strings.TrimSpace(pair), "=")
		if q, err := resource.ParseQuantity(amount); err == nil {
			all[name] = q
		}
	}
	return all
}
