package diagnose_test

import (
	"testing"

	"github.com/shiplock/shiplock/internal/diagnose"
)

// Lines that frameworks write when they have begun to listen.
func TestListening(t *testing.T) {
	for line, want := range map[string]string{
		"listening on :3000": ":3000",
		"2026/11/26 08:00:00 http server started on [::]:8080":                                                              "[::]:8080",
		"[GIN-debug] Listening and serving HTTP on :8080":                                                                   ":8080",
		"Tomcat started on port(s): 8081 (http) with context path ''":                                                       ":8081",
		"2026-11-26T08:00:00.123Z  INFO 1 --- [main] o.s.b.w.e.tomcat.TomcatWebServer : Tomcat started on port 8081 (http)": ":8081",
		"Netty started on port 8081":                                                                                        ":8081",
		"Server running at http://127.0.0.1:3000/":                                                                          "127.0.0.1:3000",
		"Example app listening on port 3000!":                                                                               ":3000",
		"  ➜  Local:   http://localhost:5173/":                                                                              "localhost:5173",
		" * Running on http://127.0.0.1:5000":                                                                               "127.0.0.1:5000",
		"[2026-11-26 08:00:00 +0000] [1] [INFO] Listening at: http://127.0.0.1:8000 (1)":                                    "127.0.0.1:8000",
		"INFO:     Uvicorn running on http://0.0.0.0:8000 (Press CTRL+C to quit)":                                           "0.0.0.0:8000",
		"Now listening on: http://[::1]:5000":                                                                               "[::1]:5000",
		"[Thu Nov 26 08:00:00 2026] PHP 8.2.1 Development Server (http://localhost:8000) started":                           "localhost:8000",
		`{"time":"2026-11-26T08:00:00Z","level":"INFO","msg":"listening","addr":":3000"}`:                                   ":3000",
		`level=info msg="server is listening" port=3000`:                                                                    ":3000",

		"connecting to the server at 10.0.0.1:5432":  "",
		"GET /healthz 200 in 3 ms":                   "",
		"the server is ready at 08:00:01":            "",
		"started in 3.2 seconds":                     "",
		"upstream server: cache:6379 is not reached": "",
		"listening to what the users say since 2026": "",
		"listening on :99999":                        "",
		"error: listen tcp :8080: address in use":    "",
	} {
		got, ok := diagnose.Listening([]string{"starting", line, "bye"})
		if ok != (want != "") || ok && got.String() != want {
			t.Errorf("%q is %v (%v), not %q", line, got, ok, want)
		}
	}
	if at, _ := diagnose.Listening([]string{"listening on :1111", "listening on :2222"}); at.Port != 2222 {
		t.Errorf("not the last one: %v", at)
	}
	for line, want := range map[string]bool{"listening on localhost:3000": true, "listening on [::1]:3000": true, "listening on 0.0.0.0:3000": false, "listening on *:3000": false, "listening on :3000": false} {
		if at, _ := diagnose.Listening([]string{line}); at.Loopback != want {
			t.Errorf("%q: loopback %v", line, at.Loopback)
		}
	}
}
