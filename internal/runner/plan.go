package runner

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
	"unicode/utf8"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/diagnose"
)

// refine sends the files of the commit that the plan reads, and goes on with the
// plan that the server makes of them. Without such files it costs nothing, unless
// they are to choose the Stack.
func (j *job) refine(ctx context.Context, step string) result {
	if len(j.Plan.Reads) == 0 {
		return succeeded
	}
	files, err := readSource(j.path(sourceDir), j.Plan.Path, j.Plan.Reads)
	if err != nil {
		return j.lost(step, diagnose.CheckoutFailed, err)
	}
	if len(files) == 0 && !j.Plan.Open {
		return succeeded
	}
	var answer api.Refined
	err = retry(ctx, func(ctx context.Context) (err error) {
		answer, err = j.client.refine(ctx, api.Source{Files: files})
		return err
	})
	switch {
	case ctx.Err() != nil && err != nil:
		return j.interrupted(ctx, diagnose.Failure{Step: step})
	case errors.Is(err, errGone):
		j.leaveOn(err)
		return result{outcome: api.OutcomeCanceled}
	case err != nil:
		return j.lost(step, diagnose.RunnerFailed, err)
	case answer.Plan == nil && answer.Cause == nil:
		return j.lost(step, diagnose.RunnerFailed, errors.New("the server answers with no plan"))
	case answer.Plan == nil:
		answer.Cause.Step = step
		j.say(step, answer.Cause.Text+"\n"+strings.Join(answer.Cause.Evidence, "\n"))
		return failed(*answer.Cause)
	}
	j.Plan, j.Push = *answer.Plan, answer.Push
	j.clock.limit(j.Plan.Timeout.Std())
	for _, f := range files {
		j.say(step, "Plan refined by "+f.Path)
	}
	return succeeded
}

// readSource reads, for each name, the nearest file from the App's folder up to the
// root of the work tree. It follows no symbolic link to a file, and none out of the
// tree.
func readSource(dir, app string, names []string) ([]delivery.SourceFile, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }() // it was only read
	var files []delivery.SourceFile
	for _, name := range names {
		for folder := path.Clean(app); ; folder = path.Dir(folder) {
			f, err := readFile(root, path.Join(folder, name))
			if err == nil {
				files = append(files, f)
				break
			}
			if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) {
				return nil, err
			}
			if folder == "." {
				break
			}
		}
	}
	return files, nil
}

func readFile(root *os.Root, name string) (delivery.SourceFile, error) {
	f := delivery.SourceFile{Path: name}
	info, err := root.Lstat(name)
	if err != nil {
		return f, err
	}
	switch {
	case info.Mode().Type() == fs.ModeSymlink:
		f.Problem = delivery.SourceSymlink
	case !info.Mode().IsRegular():
		f.Problem = delivery.SourceIrregular
	case info.Size() > delivery.MaxSourceFile:
		f.Problem = delivery.SourceLarge
	}
	if f.Problem != "" {
		return f, nil
	}
	file, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return f, err
	}
	defer func() { _ = file.Close() }() // it was only read
	data, err := io.ReadAll(io.LimitReader(file, delivery.MaxSourceFile+1))
	if len(data) > delivery.MaxSourceFile {
		f.Problem = delivery.SourceLarge
		return f, nil
	}
	f.Text = string(data)
	if !utf8.Valid(data) { // JSON carries text only; what it stands for is refused all the same
		f.Text = strings.ToValidUTF8(f.Text, "\ufffd")
	}
	return f, err
}
