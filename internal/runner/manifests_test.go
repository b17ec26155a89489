package runner_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
)

// bringing is a server whose job writes files with a script and makes an artifact with
// the manifests of folders.
func bringing(t *testing.T, write string, folders ...delivery.ManifestFolder) *server {
	t.Helper()
	s := serve(t,
		script("write", "PATH=/usr/bin:/bin:$PATH; mkdir -p start_env && echo 'exec true' >start_env/start.sh; "+write),
		delivery.PlanStep{Name: "manifests", Kind: delivery.StepManifests, Needs: []string{"write"}},
		delivery.PlanStep{Name: "image", Kind: delivery.StepImage, Needs: []string{"write"}},
	)
	s.assignment.Plan.Manifests = folders
	s.assignment.Plan.Image = &delivery.ImagePlan{Base: "scratch", Repository: "shop", Source: "start_env"}
	return s
}

func TestManifestsTravelWithTheArtifact(t *testing.T) {
	t.Parallel()
	const all = `for d in plain of-pre of-prod of-broken; do mkdir -p deploy/$d; echo "kind: $d" >deploy/$d/b.yaml; done
echo "kind: First" >deploy/plain/a.yml; echo no >deploy/plain/notes.txt; echo 'kind: Secret' >deploy/of-broken/b.yaml`
	for name, c := range map[string]struct {
		folder delivery.ManifestFolder
		want   map[string]string
	}{
		"one for all":      {delivery.ManifestFolder{Path: "deploy/plain", Needed: "prod"}, map[string]string{"": "kind: First\n---\nkind: plain\n"}},
		"one of its own":   {delivery.ManifestFolder{Env: "prod", Path: "deploy/of-${env}"}, map[string]string{"prod": "kind: of-prod\n"}},
		"one of each":      {delivery.ManifestFolder{Path: "deploy/of-${env}", Needed: "prod"}, map[string]string{"pre": "kind: of-pre\n", "prod": "kind: of-prod\n"}},
		"none that counts": {delivery.ManifestFolder{Path: "nowhere"}, map[string]string{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := bringing(t, all, c.folder)
			launch(t, s).exit(t)
			finish, _ := s.end()
			if finish.Outcome != api.OutcomeSucceeded || finish.Artifact == nil {
				t.Fatalf("the end is %+v, %v", finish, finish.Cause)
			}
			if got := finish.Artifact.Manifests; len(got) != len(c.want) {
				t.Errorf("the manifests are %q, want %q", got, c.want)
			}
			for env, want := range c.want {
				if got := finish.Artifact.Manifests[env]; got != want {
					t.Errorf("%q has %q, want %q", env, got, want)
				}
			}
		})
	}
}

func TestManifestsThatAreRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ write, says string }{
		"nothing":        {"true", "there is no folder deploy"},
		"empty":          {"mkdir deploy", "deploy holds no manifests"},
		"a secret":       {"mkdir deploy; printf 'metadata: {}\nkind: \"Secret\" # of the database\n' >deploy/a.yaml", "refer to it by its name"},
		"build's secret": {"mkdir deploy; echo 'password: hunter2hunter2' >deploy/a.yaml", "a secret of the build"},
		"too large":      {"mkdir deploy; head -c 70000 /dev/zero | tr '\\0' a >deploy/a.yaml", "may have 65536"},
		"a way out":      {"mkdir deploy; ln -s /etc/passwd deploy/a.yaml", "a.yaml cannot be read"},
		"led out":        {"ln -s /etc deploy", "leads out of the repository"},
		"no tool":        {"mkdir deploy; touch deploy/kustomization.yaml", "add one of them to the Stack's build image"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := bringing(t, c.write, delivery.ManifestFolder{Path: "deploy", Needed: "prod"})
			s.assignment.Masks = []string{"hunter2hunter2"}
			launch(t, s, "PATH=/nowhere").exit(t)
			finish, _ := s.end()
			if finish.Outcome != api.OutcomeFailed || finish.Cause == nil || !strings.Contains(finish.Cause.Text, c.says) || finish.Cause.Step != "manifests" {
				t.Errorf("the end is %s, %+v, and should say %q", finish.Outcome, finish.Cause, c.says)
			}
		})
	}
}

// kustomize is the build image's, or else that of kubectl; what it says is in the log.
func TestKustomize(t *testing.T) {
	t.Parallel()
	for tool, verb := range map[string]string{"kustomize": "build", "kubectl": "kustomize"} {
		t.Run(tool, func(t *testing.T) {
			t.Parallel()
			bin := t.TempDir()
			program := "#!/bin/sh\n[ \"$1\" = " + verb + " ] || exit 9\necho loading >&2\ncat \"$2\"/base.txt\n"
			if err := os.WriteFile(filepath.Join(bin, tool), []byte(program), 0o755); err != nil {
				t.Fatal(err)
			}
			s := bringing(t, "mkdir -p deploy/prod; touch deploy/prod/kustomization.yaml; echo 'kind: Made' >deploy/prod/base.txt",
				delivery.ManifestFolder{Path: "deploy/${env}", Needed: "prod"})
			launch(t, s, "PATH="+bin+":/usr/bin:/bin").exit(t)
			finish, _ := s.end()
			if finish.Artifact == nil || finish.Artifact.Manifests["prod"] != "kind: Made\n" {
				t.Fatalf("the end is %+v, %v", finish, finish.Cause)
			}
			if said := strings.Join(s.text("err"), "\n"); said != "loading" {
				t.Errorf("the log has %q", said)
			}
		})
	}
}
