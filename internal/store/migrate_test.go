package store

import (
	"strings"
	"testing"
)

// Each migration has the number of its place: who adds one at the same time as another
// gets the next.
func TestMigrationsAreNumbered(t *testing.T) {
	files, err := migrations.ReadDir("migrations")
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range files {
		if want := []byte{'0', '0', byte('0' + (i+1)/10), byte('0' + (i+1)%10), '_'}; !strings.HasPrefix(f.Name(), string(want)) {
			t.Errorf("%s is the %d. migration: begin its name with %s", f.Name(), i+1, want)
		}
	}
}
