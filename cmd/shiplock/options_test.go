package main

import (
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/shiplock/shiplock/internal/auth"
	"github.com/shiplock/shiplock/internal/delivery"
)

// A token that nobody could ever come in with is refused at once.
func TestAdministratorsTokenIsOne(t *testing.T) {
	for token, fits := range map[string]bool{"": true, auth.NewToken(): true, "secret": false, "slk_secret": false} {
		var o options
		o.flags(pflag.NewFlagSet("serve", pflag.ContinueOnError))
		o.environment(func(name string) string { return map[string]string{"SHIPLOCK_ADMIN_TOKEN": token}[name] })
		err := o.check() // which may go on to miss programs beside the test's
		if refused := err != nil && strings.Contains(err.Error(), "SHIPLOCK_ADMIN_TOKEN"); refused == fits || refused && delivery.KindOf(err) != delivery.Invalid {
			t.Errorf("%q: %v", token, err)
		}
	}
}
