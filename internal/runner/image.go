package runner

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/archive"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/diagnose"
)

const startScript = "start.sh"

// artifact makes the Plan's image, or package, of what the steps left in its source
// folder.
func (j *job) artifact(ctx context.Context, s delivery.PlanStep) result {
	code := diagnose.ImageFailed
	if s.Kind == delivery.StepPublish {
		code = diagnose.PublishFailed
	}
	plan := j.Plan.Image
	if plan == nil {
		return j.lost(s.Name, diagnose.RunnerFailed, errors.New("the plan has an image step and no image"))
	}
	dir, err := j.imageFolder(*plan)
	if err != nil {
		return j.portFailed(ctx, s.Name, code, err)
	}
	j.normalize(s.Name, dir)
	j.say(s.Name, plan.Dockerfile)
	artifact, err := j.push(ctx, ImageRequest{
		Plan: *plan, Push: j.Push, Login: j.pushLogin, Dir: dir, TempDir: j.path(tempDir), Facts: j.facts(), Say: func(text string) { j.say(s.Name, text) },
	})
	if err != nil {
		return j.portFailed(ctx, s.Name, code, err)
	}
	r := succeeded
	r.artifact = &artifact
	return r
}

// normalize makes archives in dir say nothing of when they were built. An image with
// one that stays as it is can be used, and the log says why the next one differs.
func (j *job) normalize(step, dir string) {
	n, err := archive.NormalizeTree(dir)
	if n > 0 {
		j.say(step, fmt.Sprintf("%d archives (jar, war) got one fixed time for their entries, so that the same commit gives the same image", n))
	}
	if err != nil {
		j.say(step, "warning: archives keep the time of this build, so another build of the same commit may give another image: "+err.Error())
	}
}

// push makes and pushes the image. The registry is often the server itself, which
// may be away for minutes; what it has of the image is not sent again.
func (j *job) push(ctx context.Context, r ImageRequest) (made delivery.Artifact, err error) {
	patient, cancel := context.WithTimeout(ctx, j.ImagePatience)
	defer cancel()
	told := false
	_ = retryUnless(patient, func(err error) bool { return delivery.KindOf(err) != delivery.Unavailable }, func(context.Context) error {
		if made, err = j.Image(ctx, r); delivery.KindOf(err) == delivery.Unavailable && !told {
			told = true
			r.Say("The registry does not answer; trying for up to " + j.ImagePatience.String() + ": " + err.Error())
		}
		return err
	})
	return made, err
}

// pushLogin asks the server for what opens the registry.
func (j *job) pushLogin(ctx context.Context) (api.PushLogin, error) {
	l, err := j.client.push(ctx)
	var no *refusal
	var later *trouble
	switch {
	case errors.As(err, &no):
		err = delivery.E(delivery.Denied, no.message)
	case errors.As(err, &later) && later.message != "":
		err = delivery.E(delivery.Unavailable, later.message)
	case errors.Is(err, errGone):
		err = delivery.Wrap(delivery.Denied, "", err)
	case err != nil:
		err = delivery.Wrap(delivery.Unavailable, "", err)
	}
	return l, err
}

// imageFolder checks the source folder and gives it a start.sh.
func (j *job) imageFolder(plan delivery.ImagePlan) (string, error) {
	app, err := j.appDir()
	if err != nil {
		return "", err
	}
	dir, err := inside(app, plan.Source)
	if errors.Is(err, fs.ErrNotExist) {
		return "", delivery.E(delivery.Invalid, fmt.Sprintf("the steps made no folder %s; let the build put there what the app needs to run", plan.Source))
	}
	if err != nil {
		return "", err
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return "", errors.Join(delivery.E(delivery.Invalid, plan.Source+" is not a folder"), err)
	}
	return dir, ensureStart(dir, plan)
}

// ensureStart leaves dir with an executable start.sh: the App's own, or else the
// Stack's.
func ensureStart(dir string, plan delivery.ImagePlan) error {
	path := filepath.Join(dir, startScript)
	info, err := os.Lstat(path)
	switch {
	case err == nil && info.Mode().IsRegular():
		return os.Chmod(path, 0o755)
	case err == nil && info.Mode().Type() == fs.ModeSymlink:
		_, err := inside(dir, startScript)
		return err
	case err == nil:
		return delivery.E(delivery.Invalid, startScript+" in "+plan.Source+" is not a file")
	case !errors.Is(err, fs.ErrNotExist):
		return err
	case plan.Start == "":
		return delivery.E(delivery.Invalid, plan.Source+" has no "+startScript+", and the stack brings none; add one that starts the app")
	}
	script := plan.Start
	if !strings.HasPrefix(script, "#!") {
		script = "#!/bin/sh\n" + script // a kernel starts no script without
	}
	if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
		return err
	}
	return os.Chmod(path, 0o755) // whatever the umask is
}
