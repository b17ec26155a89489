//go:build e2e

package caches

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/test/harness"
)

// work is what every build does: it checks what it was given, keeps an eye on it for a
// while, and then changes it as the worst of tools would: in place, by adding, and by
// removing. Every file is named by its content's digest, and the list names them all,
// so that no file of another build, and none half written, goes unnoticed.
const work = `
store=$HOME/.cache/store
mkdir -p "$store/objects"
cd "$store"
check() {
  if [ -f list ]; then
    find objects -type f | LC_ALL=C sort | cmp - list || { echo "$1: not the files that the list names" >&2; exit 1; }
    (cd objects && find . -type f -printf '%f  %p\n' | sha256sum --quiet --check -) || { echo "$1: broken files" >&2; exit 1; }
  fi
}
check before
echo "saw $(cat list 2>/dev/null | sha256sum | cut -c1-16) poison=$(cat poison 2>/dev/null)"
sleep 0.0$((RANDOM_SEED % 9))
check after
# A third of the files goes, as many come.
if [ -f list ]; then sed -n '1~3p' list | xargs rm -f; fi
n=$(find objects -type f | wc -l)
head -c $(( (FILES - n) * 2048 )) /dev/urandom > blob
split -b 2048 -a 4 blob part.
rm blob
sha256sum part.* | while read -r sum name; do
  mkdir -p "objects/${sum%${sum#??}}"
  mv "$name" "objects/${sum%${sum#??}}/$sum"
done
find objects -type f | LC_ALL=C sort > new-list
cat new-list > list # in place
rm new-list
[ -z "$POISON" ] || echo "$POISON" > poison
`

// world is an installation with apps whose builds do the work.
type world struct {
	t      *testing.T
	server *harness.Server
	api    *harness.API
	forge  *harness.Forge
	repos  map[string]*harness.Repo
}

func newWorld(t *testing.T, files int, apps ...string) *world {
	t.Helper()
	s := harness.NewServer(t, "--lease", "1s", "--capacity", "9")
	f := harness.NewForge(t, s.URL()+"/nowhere") // runs are started by hand
	s.Start()
	w := &world{t: t, server: s, api: harness.NewAPI(t, s), forge: f, repos: map[string]*harness.Repo{}}
	script, err := json.Marshal(fmt.Sprintf("FILES=%d\n", files) + `POISON=$(cat poison 2>/dev/null || :)
RANDOM_SEED=$(od -An -N2 -tu2 /dev/urandom | tr -d ' ')` + work)
	if err != nil {
		t.Fatal(err)
	}
	docs := []harness.Doc{harness.Document("Stack", "store", fmt.Sprintf(`{
		"language": "sh",
		"build": {"caches": [{"name": "store", "path": ".cache/store", "keys": ["lock"]}],
			"steps": [{"name": "work", "run": %s, "timeout": "2m"}]},
		"runtime": {"base": ""}}`, script))}
	for _, app := range apps {
		r := f.NewRepo("caches/" + app)
		w.repos[app] = r
		r.Write("lock", "1", 0o644)
		docs = append(docs, harness.Document("App", app, fmt.Sprintf(`{"repo": %q, "stack": "store"}`, r.CloneURL)))
	}
	w.api.Apply(docs...)
	return w
}

// start starts a run of the newest commit of an app.
func (w *world) start(app, env, sha string) delivery.RunID {
	w.t.Helper()
	var r api.Run
	w.api.Must("POST", "/runs", api.StartRun{App: app, Env: env, Commit: sha}, &r)
	return r.ID
}

// await waits until runs have ended well, and returns them.
func (w *world) await(ids ...delivery.RunID) (runs []api.Run) {
	w.t.Helper()
	for _, id := range ids {
		var r api.Run
		if !harness.Eventually(3*time.Minute, func() bool {
			r = w.api.Run(id)
			return r.State.Terminal()
		}) || r.State != delivery.RunSucceeded {
			w.t.Fatalf("%s is %s: %+v\n%s\n%s", r.Name, r.State, r.Cause, w.api.LogText(id), w.server.LogTail())
		}
		runs = append(runs, r)
	}
	return runs
}

// use is what a run had of its only cache.
func use(r api.Run) delivery.CacheUse {
	if c := r.Jobs[0].Caches; c != nil && len(c.Uses) == 1 {
		return c.Uses[0]
	}
	return delivery.CacheUse{}
}

func (w *world) path(name ...string) string {
	return filepath.Join(append([]string{w.server.Data, "cache"}, name...)...)
}

// killPublisher kills a runner of the runs that is writing a snapshot: its steps have
// ended. It returns false when none was caught.
func (w *world) killPublisher(ids []delivery.RunID) bool {
	deadline := time.Now().Add(30 * time.Second)
	for time.Now().Before(deadline) {
		writing, _ := os.ReadDir(w.path("tmp"))
		if len(writing) > 0 {
			for _, pid := range w.runners() {
				children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
				if err == nil && len(strings.TrimSpace(string(children))) == 0 && w.holds(pid) && kill(pid) {
					return true
				}
			}
		}
		if w.over(ids) {
			return false
		}
		time.Sleep(500 * time.Microsecond)
	}
	return false
}

// runners are the processes that hold the locks of attempts.
func (w *world) runners() (pids []int) {
	locks, _ := filepath.Glob(filepath.Join(w.server.Data, "attempts", "*", "lock"))
	for _, path := range locks {
		text, _ := os.ReadFile(path)
		if pid, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// holds tells whether a process has a snapshot open that is being written.
func (w *world) holds(pid int) bool {
	fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		return os.Getuid() != 0 // others' are not to be seen; it has no children, so it may well
	}
	for _, fd := range fds {
		to, _ := os.Readlink(fmt.Sprintf("/proc/%d/fd/%s", pid, fd.Name()))
		if strings.HasPrefix(to, w.path("tmp")+"/") {
			return true
		}
	}
	return false
}

func (w *world) over(ids []delivery.RunID) bool {
	for _, id := range ids {
		if !w.api.Run(id).State.Terminal() {
			return false
		}
	}
	return true
}

// checkSnapshots reads every published snapshot as it is on disk, and returns how many
// there are.
func (w *world) checkSnapshots() int {
	w.t.Helper()
	trees, err := filepath.Glob(w.path("snapshots", "*", "*", "*", "*", "tree"))
	if err != nil {
		w.t.Fatal(err)
	}
	for _, tree := range trees {
		err := checkTree(tree)
		if _, gone := os.Stat(tree); err != nil && gone == nil { // else it was swept meanwhile
			w.t.Errorf("snapshot %s: %v", tree, err)
		}
	}
	return len(trees)
}

func checkTree(tree string) error {
	list, err := os.ReadFile(filepath.Join(tree, "list"))
	if err != nil {
		return err
	}
	want := map[string]bool{}
	for _, name := range harness.Lines(string(list)) {
		want[name] = true
	}
	err = filepath.WalkDir(filepath.Join(tree, "objects"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, _ := filepath.Rel(tree, path)
		if !want[rel] {
			return fmt.Errorf("%s is not in the list", rel)
		}
		delete(want, rel)
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if sum := sha256.Sum256(text); hex.EncodeToString(sum[:]) != d.Name() {
			return fmt.Errorf("%s has other content", rel)
		}
		return nil
	})
	if err == nil && len(want) > 0 {
		err = fmt.Errorf("%d files of the list are missing", len(want))
	}
	return err
}
