package diagnose

import (
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// Listen is where an app says that it listens.
type Listen struct {
	// Host is empty when it says none.
	Host string
	Port int
	// Loopback: nothing outside of its own container or machine reaches it.
	Loopback bool
}

func (l Listen) String() string {
	if strings.Contains(l.Host, ":") {
		return "[" + l.Host + "]:" + strconv.Itoa(l.Port)
	}
	return l.Host + ":" + strconv.Itoa(l.Port)
}

var (
	// listenVerb begins what frameworks and people write of it: "listening on :3000",
	// "Tomcat started on port(s): 8081", "Running on http://127.0.0.1:5000", "Local:
	// http://localhost:5173/", "Development Server (http://localhost:8000) started".
	listenVerb = regexp.MustCompile(`(?i)\b(?:listening|listens?|serving|running|started|bound|ready|available|server|local:|network:|addr(?:ess)?\W)`)
	// listenURL and listenPort are the forms of an address after it.
	listenURL  = regexp.MustCompile(`(?i)(?:https?://|^|[\s"'=(@])(\[[0-9a-f:]*\]|localhost|\d+\.\d+\.\d+\.\d+|\*)?:(\d{2,5})(?:[^\d:.]|[.:]?$)`)
	listenPort = regexp.MustCompile(`(?i)\bport(?:\(s\)|s)?["']?[:= ]+(\d{2,5})\b`)
)

// Listening returns where an app last said that it listens; false when it did not say.
func Listening(lines []string) (Listen, bool) {
	var found Listen
	for _, line := range lines {
		line = Unstamped(plain(line))
		at := listenVerb.FindStringIndex(line)
		if at == nil || strings.Contains(strings.ToLower(line), "connect") {
			continue
		}
		rest := line[at[0]:]
		if m := listenURL.FindStringSubmatch(rest); m != nil {
			if l, ok := listens(m[1], m[2]); ok {
				found = l
				continue
			}
		}
		if m := listenPort.FindStringSubmatch(rest); m != nil {
			if l, ok := listens("", m[1]); ok {
				found = l
			}
		}
	}
	return found, found.Port > 0
}

func listens(host, port string) (Listen, bool) {
	n, err := strconv.Atoi(port)
	if err != nil || n == 0 || n > 65535 {
		return Listen{}, false
	}
	host = strings.Trim(host, "[]")
	ip, err := netip.ParseAddr(host)
	return Listen{Host: host, Port: n, Loopback: host == "localhost" || err == nil && ip.IsLoopback()}, true
}
