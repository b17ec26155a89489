//go:build e2e

package pods

import (
	"strings"
	"testing"
	"time"

	"github.com/shiplock/shiplock/test/harness"
)

// TestClusterCachesAreClosed has a build look for what other apps have in their caches,
// and write to those of protected builds, which it starts from.
func TestClusterCachesAreClosed(t *testing.T) {
	w := newWorld(t)
	w.api.Apply(harness.Document("Stack", "cached", `{"language": "sh", "build": {
		"image": "`+w.busybox()+`", "checkout": "none", "caches": [{"name": "keep", "path": ".cache/keep"}], `+little+`,
		"steps": [{"name": "work", "run": `+quoted(`
case $SHIPLOCK_APP in
victim|guard)
  mkdir -p $HOME/.cache/keep
  { echo "of $SHIPLOCK_APP"; head -c 100000 /dev/zero; } > $HOME/.cache/keep/file ;;
thief)
  head -c 9 $HOME/.cache/keep/file; echo
  find / -name file -type f 2>/dev/null | xargs grep -l -a 'of victim' && echo 'it is found'
  find /cache -type d -maxdepth 1
  for dir in $(find /cache/protected -type d) $(dirname $(find /cache/protected -type f)); do
    { echo poison > $dir/poison; } 2>/dev/null && echo "written to $dir"
  done
  for file in $(find /cache/protected -type f); do
    { echo poison >> $file; } 2>/dev/null && echo "written to $file"
    rm -f $file 2>/dev/null && echo "removed $file"
  done
  echo tried ;;
esac`)+`}]}, "runtime": {"base": ""}}`))
	for _, name := range []string{"victim", "guard", "thief"} {
		w.api.Apply(app(name, "cached"))
	}
	w.good(w.start("victim", "dev", someCommit), 2*time.Minute)
	guard := w.good(w.start("guard", "prod", someCommit), 2*time.Minute)
	if !published(guard, "keep") {
		t.Fatalf("the protected build has left no cache: %+v", guard.Jobs[0].Caches)
	}
	r := w.good(w.start("thief", "dev", someCommit), 2*time.Minute)
	log := output(w.api.LogText(r.ID))
	says("of guard\n", "/cache/protected\n", "/cache/app-thief\n", "tried\n", "!of victim", "!/cache/app-victim", "!it is found", "!written to", "!removed")(t, r, log)
	again := w.good(w.start("thief", "dev", strings.Repeat("1", 40)), 2*time.Minute)
	if use := again.Jobs[0].Caches.Uses[0]; use.Trouble != "" || use.Domain == "app-victim" {
		t.Errorf("afterwards the cache is %+v", use)
	}
}
