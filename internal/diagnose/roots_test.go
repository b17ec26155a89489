package diagnose_test

import (
	"testing"

	"github.com/shiplock/shiplock/internal/diagnose"
)

func TestPathsBelowTheRootsAreRelative(t *testing.T) {
	roots := diagnose.Roots{{Dir: "/ws/src/shop"}, {Dir: "/ws/src"}, {Dir: "/data/targets", Skip: 3}}
	for line, want := range map[string]string{
		"/ws/src/shop/a.js:3: x":                          "a.js:3: x",
		"/ws/src/lib/b.js:3: x":                           "lib/b.js:3: x",
		"no files in /ws/src/shop":                        "no files in .",
		"'/ws/src/shop/a.mjs' from file:///ws/src/b.mjs":  "'a.mjs' from b.mjs",
		"/ws/src/shopping/a.js":                           "shopping/a.js",
		"/ws/srcs/a.js":                                   "/ws/srcs/a.js",
		"/mnt/ws/src/shop/a.js":                           "/mnt/ws/src/shop/a.js",
		"at /data/targets/a_dev/images/3e98/server.js:1":  "at server.js:1",
		"in /data/targets/a_dev/images/3e98: no start.sh": "in .: no start.sh",
		"/data/targets/a_dev/slots.json":                  "/data/targets/a_dev/slots.json",
		"":                                                "",
	} {
		if got := roots.Trim(line); got != want {
			t.Errorf("Trim(%q) = %q, want %q", line, got, want)
		}
	}
}

func TestPlacesAreInTheAppsOwnCode(t *testing.T) {
	roots := diagnose.Roots{{Dir: "/src"}}
	for line, want := range map[string]string{
		"    at f (/src/lib/a.js:3:9)":                      "lib/a.js:3",
		"    at async /src/a.mjs:3:9":                       "a.mjs:3",
		"    at file:///src/a.mjs:3:9":                      "a.mjs:3",
		"    at f (/src/node_modules/x/a.js:3:9)":           "",
		"    at Module._compile (node:internal/loader:1:2)": "",
		"/src/a.js:12":                                               "a.js:12",
		"\t/src/cart/cart.go:3 +0x1d":                                "cart/cart.go:3",
		"\t/usr/local/go/src/sync/waitgroup.go:3 +0x1d":              "",
		"\tsync/waitgroup.go:3 +0x1d":                                "",
		"\texample.com/shop/main.go:4":                               "example.com/shop/main.go:4",
		"\tgithub.com/x/y@v1.0.0/y.go:4 +0x1":                        "",
		"\t_testmain.go:49 +0x1":                                     "",
		`  File "/src/app.py", line 4, in settings`:                  "app.py:4",
		`  File "/usr/lib/python3/site-packages/x.py", line 4, in y`: "",
		"\tat shop.Main.need(Main.java:3)":                           "Main.java:3",
		"\tat java.base/java.util.Map.get(Map.java:3)":               "",
		"working": "",
	} {
		if got, ok := roots.Place(line); got != want || ok != (want != "") {
			t.Errorf("Place(%q) = %q, %t, want %q", line, got, ok, want)
		}
	}
}
