package delivery_test

import (
	"flag"
	"os"
	"testing"
)

// TestMain fixes the seed of the random orders, so that a run can be repeated;
// "-rapid.seed=0" tries others, and "-rapid.checks=N" more of them.
func TestMain(m *testing.M) {
	for name, value := range map[string]string{"rapid.seed": "20260301", "rapid.checks": "60", "rapid.nofailfile": "true"} {
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
	flag.Parse()
	os.Exit(m.Run())
}
