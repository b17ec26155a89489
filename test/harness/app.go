package harness

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
)

// RoleApp is a variable that makes a test's own program the app that is deployed.
const RoleApp = "TEST_OF_SHIPLOCK_APP"

// Main runs a package's tests, or the app. It is for TestMain.
func Main(m *testing.M) {
	if os.Getenv(RoleApp) != "" {
		serveApp()
		return
	}
	os.Exit(m.Run())
}

// serveApp says which version it is, and answers every request with the file "version"
// in its folder, or with ok when there is none.
func serveApp() {
	version, err := os.ReadFile("version")
	if err != nil {
		version = []byte("ok\n")
	}
	fmt.Printf("version %s is up\n", strings.TrimSpace(string(version)))
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(version) })
	if err := http.ListenAndServe(loopback+":"+os.Getenv("PORT"), nil); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
