package runner

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"unicode/utf8"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/diagnose"
)

const (
	// maxManifestFiles bounds the files of one folder, and the folders of ${env}.
	maxManifestFiles = 100
	rendered         = "manifests.yaml"
)

// kustomizations are the names of the file that makes a folder one for kustomize.
var kustomizations = [...]string{"kustomization.yaml", "kustomization.yml", "Kustomization"}

// ofSecret is the line by which a manifest is a Secret. The server looks closer; here
// what it holds is to stay where it is.
var ofSecret = regexp.MustCompile(`(?m)^["']?kind["']?\s*:\s*["']?Secret["']?\s*(#.*)?$`)

// folder is one with manifests, and the Environment that they are for.
type folder struct {
	env, path string
	needed    bool
}

// manifests reads the App's own manifests of all Environments. Those that the run can do
// without are left out when they are at fault: a release to their Environment says so.
func (j *job) manifests(ctx context.Context, s delivery.PlanStep) result {
	app, err := j.appDir()
	if err != nil {
		return j.lost(s.Name, diagnose.RunnerFailed, err)
	}
	all := map[string]string{}
	size := 0
	for _, f := range folders(app, j.Plan.Manifests) {
		text, r := j.manifestsIn(ctx, s, app, f.path)
		switch {
		case r.outcome == succeeded.outcome:
			all[f.env] = text
			size += len(text)
			j.say(s.Name, fmt.Sprintf("Manifests of %s: %d bytes", f.path, len(text)))
		case f.needed || ctx.Err() != nil || r.cause == nil:
			return r
		default:
			j.say(s.Name, fmt.Sprintf("warning: without the manifests of %s: %s", f.path, r.cause.Text))
		}
	}
	if size > delivery.MaxManifests {
		return j.portFailed(ctx, s.Name, diagnose.ManifestsFailed, tooLarge(size))
	}
	r := succeeded
	r.manifests = all
	return r
}

func tooLarge(size int) error {
	return delivery.E(delivery.Invalid, fmt.Sprintf("the manifests have %d bytes, and may have %d of all environments together: put data into the image, or into objects of their own", size, delivery.MaxManifests))
}

// folders are those of a Plan, with the Environment's name in their paths.
func folders(app string, plan []delivery.ManifestFolder) []folder {
	var list []folder
	add := func(f folder) {
		if !slices.ContainsFunc(list, func(other folder) bool { return other.env == f.env }) {
			list = append(list, f)
		}
	}
	for _, p := range plan {
		switch {
		case !strings.Contains(p.Path, delivery.EnvironmentVariable):
			add(folder{p.Env, p.Path, p.Needed != ""})
		case p.Env != delivery.AnyEnvironment:
			add(folder{p.Env, named(p.Path, p.Env), p.Needed != ""})
		default:
			if p.Needed != "" {
				add(folder{p.Needed, named(p.Path, p.Needed), true})
			}
			for _, env := range environments(app, p.Path) {
				add(folder{env, named(p.Path, env), false})
			}
		}
	}
	return list
}

func named(path, env string) string {
	return strings.ReplaceAll(path, delivery.EnvironmentVariable, env)
}

// environments are the names that stand for ${env} in a path, by the folders there are.
func environments(app, pattern string) []string {
	before, after, _ := strings.Cut(pattern, delivery.EnvironmentVariable)
	parent, start := path.Split(before)
	end, _, _ := strings.Cut(after, "/")
	dir, err := inside(app, path.Clean(parent))
	if err != nil {
		return nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		env, ok := strings.CutPrefix(e.Name(), start)
		env, also := strings.CutSuffix(env, end)
		if !ok || !also || delivery.CheckLabel("an environment", env) != nil || len(names) == maxManifestFiles {
			continue
		}
		if info, err := os.Stat(filepath.Join(app, named(pattern, env))); err == nil && info.IsDir() {
			names = append(names, env)
		}
	}
	return names
}

// manifestsIn are the manifests of a folder.
func (j *job) manifestsIn(ctx context.Context, s delivery.PlanStep, app, path string) (string, result) {
	dir, err := inside(app, path)
	if errors.Is(err, fs.ErrNotExist) {
		err = delivery.E(delivery.Invalid, fmt.Sprintf("there is no folder %s: add it, or correct workload.manifests.path of the App", path))
	}
	if err != nil {
		return "", j.portFailed(ctx, s.Name, diagnose.ManifestsFailed, err)
	}
	var text string
	if kustomized(dir) {
		r := j.kustomize(ctx, s, app, dir)
		if r.outcome != succeeded.outcome {
			return "", r
		}
		text, err = readManifest(j.path(tempDir), rendered)
	} else {
		text, err = plainManifests(dir, path)
	}
	switch {
	case err != nil:
	case strings.TrimSpace(text) == "":
		err = delivery.E(delivery.Invalid, fmt.Sprintf("%s holds no manifests: add *.yaml files or a kustomization.yaml", path))
	case ofSecret.MatchString(text):
		err = delivery.E(delivery.Invalid, path+" holds a Secret, which is not to be stored with releases: make it in the cluster, and refer to it by its name")
	case j.text(text) != text:
		err = delivery.E(delivery.Invalid, path+" holds a secret of the build, which is not to be stored with releases: refer to a Secret of the cluster by its name")
	}
	if err != nil {
		return "", j.portFailed(ctx, s.Name, diagnose.ManifestsFailed, err)
	}
	return text, succeeded
}

func kustomized(dir string) bool {
	return slices.ContainsFunc(kustomizations[:], func(name string) bool {
		_, err := os.Stat(filepath.Join(dir, name))
		return err == nil
	})
}

// kustomize runs the build image's kustomize, or the one that is part of its kubectl.
func (j *job) kustomize(ctx context.Context, s delivery.PlanStep, app, dir string) result {
	env := j.stepEnv(s, app)
	command := ""
	switch {
	case lookUp("kustomize", env) != "":
		command = "kustomize build"
	case lookUp("kubectl", env) != "":
		command = "kubectl kustomize"
	default:
		return j.portFailed(ctx, s.Name, diagnose.ManifestsFailed, delivery.E(delivery.Invalid,
			"there is a kustomization, and neither kustomize nor kubectl to read it: add one of them to the Stack's build image, or keep plain manifests"))
	}
	s.Run = command + " " + quoted(dir) + " >" + quoted(filepath.Join(j.path(tempDir), rendered))
	return j.script(ctx, s)
}

// quoted is a word for the shell.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// plainManifests joins the files of a folder in the order of their names.
func plainManifests(dir, path string) (string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", delivery.Wrap(delivery.Invalid, path+" is not a folder", err)
	}
	var parts []string
	size := 0
	for _, e := range entries {
		ext := filepath.Ext(e.Name())
		if e.IsDir() || ext != ".yaml" && ext != ".yml" {
			continue
		}
		text, err := readManifest(dir, e.Name())
		if err != nil {
			return "", err
		}
		parts = append(parts, strings.TrimRight(text, "\n")+"\n")
		if size += len(text); size > delivery.MaxManifests || len(parts) > maxManifestFiles {
			return "", tooLarge(size)
		}
	}
	return strings.Join(parts, "---\n"), nil
}

// readManifest reads a file; it follows no symbolic link out of the folder.
func readManifest(dir, name string) (string, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return "", err
	}
	defer func() { _ = root.Close() }() // it was only read
	file, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return "", delivery.Wrap(delivery.Invalid, name+" cannot be read", err)
	}
	defer func() { _ = file.Close() }() // it was only read
	data, err := io.ReadAll(io.LimitReader(file, delivery.MaxManifests+1))
	switch {
	case err != nil:
		return "", delivery.Wrap(delivery.Invalid, name+" cannot be read", err)
	case len(data) > delivery.MaxManifests:
		return "", tooLarge(len(data))
	case !utf8.Valid(data):
		return "", delivery.E(delivery.Invalid, name+" is not UTF-8")
	}
	return string(data), nil
}
