package delivery_test

import (
	"strings"
	"testing"

	"github.com/shiplock/shiplock/internal/delivery"
)

func tool(t *testing.T, text string) delivery.Tool {
	t.Helper()
	var tool delivery.Tool
	if err := tool.UnmarshalText([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return tool
}

func TestToolText(t *testing.T) {
	for text, want := range map[string]string{
		"npm": "npm", "go >= 1.22": "go >= 1.22", "go>=1.22": "go >= 1.22", "php >= 7.4 < 8": "php >= 7.4 < 8", "node <21": "node < 21", "g++": "g++",
	} {
		if got := tool(t, text).String(); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
	for _, text := range []string{
		"", "a b", "/usr/bin/go", "go >=", "go >= x", "go > 1", "go < 1 >= 2", "go >= 1.22.", "go >= -1", "-go", ">= 1", "go = 1", strings.Repeat("a", 64),
	} {
		var tool delivery.Tool
		if err := tool.UnmarshalText([]byte(text)); delivery.KindOf(err) != delivery.Invalid {
			t.Errorf("%q is read as %v, error %v", text, tool, err)
		}
	}
}

// The texts are what the tools say.
func TestToolVersion(t *testing.T) {
	for said, c := range map[string]struct{ tool, want string }{
		"go version go1.26.0 linux/amd64":                       {"go", "1.26.0"},
		"go version go1.22rc1 linux/amd64":                      {"go", "1.22"},
		"go version devel go1.27-5f8a1e3 Thu Nov 5 linux/amd64": {"go", "1.27"},
		"v20.19.2":  {"node", "20.19.2"},
		"10.8.2":    {"npm", "10.8.2"},
		"javac 17":  {"javac", "17"},
		"nothing":   {"x", ""},
		"tool 2024": {"x", "2024"},
		"openjdk version \"17.0.15\" 2025-04-15 OpenJDK Runtime Environment (build 17.0.15+6-Debian-1deb12u1)": {"java", "17.0.15"},
		"openjdk version \"1.8.0_392\" OpenJDK Runtime Environment (build 1.8.0_392-b08)":                      {"java", "8.0"},
		"openjdk version \"25\" 2025-09-16 OpenJDK Runtime Environment (build 25+36-Debian)":                   {"java", "25"},
		"PHP 8.2.29 (cli) (built: Jul  3 2025 16:16:05) (NTS)":                                                 {"php", "8.2.29"},
		"Apache Maven 3.8.7 Maven home: /usr/share/maven Java version: 17.0.15":                                {"mvn", "3.8.7"},
		"gcc (Debian 12.2.0-14+deb12u1) 12.2.0":                                                                {"gcc", "12.2.0"},
	} {
		if got := tool(t, c.tool).Version(said); got != c.want {
			t.Errorf("%s says %q: version %q, want %q", c.tool, said, got, c.want)
		}
	}
}

func TestToolFits(t *testing.T) {
	for _, c := range []struct {
		tool, found string
		want        bool
	}{
		{"go >= 1.22", "1.22", true}, {"go >= 1.22", "1.22.0", true}, {"go >= 1.22", "1.9.7", false}, {"go >= 1.22.3", "1.22", false},
		{"java >= 17", "17.0.15", true}, {"java >= 17", "11.0.2", false}, {"java >= 8", "8.0", true},
		{"php >= 7.4 < 8", "7.4.33", true}, {"php >= 7.4 < 8", "8.0.0", false}, {"node < 21", "20.19.2", true}, {"npm", "1", true},
	} {
		if got := tool(t, c.tool).Fits(c.found); got != c.want {
			t.Errorf("%s fits %s: %t, want %t", c.found, c.tool, got, c.want)
		}
	}
}
