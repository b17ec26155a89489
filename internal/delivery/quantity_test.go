package delivery_test

import (
	"testing"

	"k8s.io/apimachinery/pkg/api/resource"
	"pgregory.net/rapid"

	"github.com/shiplock/shiplock/internal/delivery"
)

func TestQuantity(t *testing.T) {
	for text, ok := range map[string]bool{
		"1": true, "500m": true, "0.5": true, "1.5Gi": true, "2k": true, "3E": true, "4Ei": true, "100M": true,
		"": false, "0": false, "0m": false, "-1": false, "+1": false, "1K": false, "1mi": false, "1ki": false, "Mi": false, "i": false, "1.": false,
		".5": false, "1 Gi": false, "1_000": false, "0x10": false, "1/2": false, "1e3": false, "1MM": false, "1Gii": false, "999999999999999999999Gi999": false,
	} {
		var q delivery.Quantity
		err := q.UnmarshalText([]byte(text))
		if (err == nil) != ok || ok && string(q) != text || !ok && delivery.KindOf(err) != delivery.Invalid {
			t.Errorf("%q: %q, %v", text, q, err)
		}
	}
	if q := delivery.Quantity("1536Ki"); q.Less(1<<20) || !q.Less(2<<20) || !q.Whole() || delivery.Quantity("1m").Whole() {
		t.Error("1536Ki is a whole number between 1Mi and 2Mi")
	}
}

// What we take for an amount is the same amount to Kubernetes.
func TestQuantityIsKubernetes(t *testing.T) {
	number := rapid.StringMatching(`[0-9]{1,4}(\.[0-9]{1,3})?(m|k|Ki|[MGTPE]i?)?`)
	rapid.Check(t, func(r *rapid.T) {
		texts := [2]string{number.Draw(r, "a"), number.Draw(r, "b")}
		var ours [2]delivery.Quantity
		var theirs [2]resource.Quantity
		for i, text := range texts {
			var err error
			if theirs[i], err = resource.ParseQuantity(text); err != nil {
				r.Fatalf("Kubernetes refuses %q: %v", text, err)
			}
			if err := ours[i].UnmarshalText([]byte(text)); (err == nil) != (theirs[i].Sign() > 0) {
				r.Fatalf("%q: %v, and it is %s to Kubernetes", text, err, theirs[i].String())
			}
		}
		// Kubernetes counts to 2^63 only, and rounds what is finer than a billionth.
		if most := resource.MustParse("7E"); theirs[0].Cmp(most) > 0 || theirs[1].Cmp(most) > 0 || ours[0] == "" || ours[1] == "" {
			return
		}
		if got, want := ours[0].Compare(ours[1]), theirs[0].Cmp(theirs[1]); got != want {
			r.Fatalf("%s to %s: %d, and to Kubernetes %d", texts[0], texts[1], got, want)
		}
		if got, want := ours[0].Less(1<<20), theirs[0].CmpInt64(1<<20) < 0; got != want {
			r.Fatalf("%s is less than 1Mi: %v, and to Kubernetes %v", texts[0], got, want)
		}
	})
}
