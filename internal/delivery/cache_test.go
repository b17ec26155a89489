package delivery_test

import (
	"testing"

	"github.com/shiplock/shiplock/internal/delivery"
)

// What an App alone writes can go with it; what several read cannot.
func TestCacheApp(t *testing.T) {
	for _, app := range []string{"shop", "app-shop", "protected"} {
		read, publish := delivery.CacheDomains(app, false)
		if got, ok := delivery.CacheApp(publish); !ok || got != app {
			t.Errorf("%s is of %q, %v", publish, got, ok)
		}
		if got, ok := delivery.CacheApp(read[1]); ok {
			t.Errorf("%s is of %q alone", read[1], got)
		}
	}
}
