package runner

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/quality"
)

// Bounds of a step's reports.
const (
	maxReportSize  = 32 << 20  // bytes of a file
	maxReportBytes = 256 << 20 // of all files
	maxReportFiles = 5000
	maxReportLooks = 200_000 // files and folders looked at for one pattern
	maxWarnings    = 10
	maxWarning     = 300 // bytes
)

// reports are the files in which a step leaves results. What was there before the
// step and did not change is none of its results.
type reports struct {
	job    *job
	step   delivery.PlanStep
	dir    string
	before map[reportFile]stamp

	merged   quality.Reports
	read     int
	warnings []string
}

type reportFile struct{ format, path string }

type stamp struct {
	size     int64
	modified time.Time
}

// expect notes which files there are before the step.
func (j *job) expect(s delivery.PlanStep, dir string) *reports {
	r := &reports{job: j, step: s, dir: dir, merged: quality.Reports{Roots: j.roots(dir), Mask: j.text}}
	if len(s.Reports) > 0 {
		r.before, _ = r.find() // what hinders it is said when the step has ended
	}
	return r
}

// collect reads the files after the step. It never fails: what is wrong with a
// report is a warning.
func (r *reports) collect() {
	if len(r.step.Reports) == 0 {
		return
	}
	files, err := r.find()
	if err != nil {
		r.warn(err.Error())
	}
	r.readAll(files)
	if r.read > 0 {
		r.job.say(r.step.Name, r.summary())
	}
	if without := r.without(files); len(without) > 0 {
		r.job.say(r.step.Name, "No file matches these reports: "+strings.Join(without, ", "))
	}
}

// without lists the reports that no file matches.
func (r *reports) without(files map[reportFile]stamp) (list []string) {
	for _, want := range r.step.Reports {
		g, there := newGlob(want.Path), false
		for f := range files {
			there = there || f.format == want.Format && g.matches(strings.Split(f.path, "/"))
		}
		if !there {
			list = append(list, want.Format+" "+want.Path)
		}
	}
	return list
}

// find looks for the files of all patterns; with an error, for some of them.
func (r *reports) find() (map[reportFile]stamp, error) {
	root, err := os.OpenRoot(r.dir)
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }() // it was only read
	files := map[reportFile]stamp{}
	for _, want := range r.step.Reports {
		s := search{root: root, looks: maxReportLooks, found: func(file string, info fs.FileInfo) error {
			if len(files) >= maxReportFiles {
				return fmt.Errorf("there are more than %d files; the rest is not read", maxReportFiles)
			}
			files[reportFile{want.Format, file}] = stamp{info.Size(), info.ModTime()}
			return nil
		}}
		if err := s.walk(newGlob(want.Path), nil); err != nil {
			return files, fmt.Errorf("reports %s: %w", want.Path, err)
		}
	}
	return files, nil
}

// readAll reads the files that are new or changed, in order of their names.
func (r *reports) readAll(files map[reportFile]stamp) {
	var fresh []reportFile
	for f, now := range files {
		if was, known := r.before[f]; !known || was.size != now.size || !was.modified.Equal(now.modified) {
			fresh = append(fresh, f)
		}
	}
	slices.SortFunc(fresh, func(a, b reportFile) int { return strings.Compare(a.path+a.format, b.path+b.format) })
	root, err := os.OpenRoot(r.dir)
	if err != nil {
		r.warn(err.Error())
		return
	}
	defer func() { _ = root.Close() }() // it was only read
	left := int64(maxReportBytes)
	for _, f := range fresh {
		if r.job.hard.Err() != nil {
			return
		}
		if left -= files[f].size; left < 0 {
			r.warn(fmt.Sprintf("the reports are larger than %d MiB together; the rest is not read", maxReportBytes>>20))
			return
		}
		if err := r.add(root, f); err != nil {
			r.warn(fmt.Sprintf("%s report %s: %v", f.format, f.path, err))
		}
	}
}

func (r *reports) add(root *os.Root, f reportFile) error {
	// Without waiting, should it have become a pipe.
	file, err := root.OpenFile(f.path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return errors.Unwrap(err)
	}
	defer func() { _ = file.Close() }() // it was only read
	info, err := file.Stat()
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return errors.New("it is not a file")
	case info.Size() > maxReportSize:
		return fmt.Errorf("it is larger than %d MiB", maxReportSize>>20)
	}
	r.read++
	return r.merged.Add(f.format, f.path, io.LimitReader(file, maxReportSize))
}

// warn adds a warning to the log and to the step.
func (r *reports) warn(text string) {
	text = r.job.mask(strings.ToValidUTF8(strings.ReplaceAll(text, "\n", " "), "\ufffd"), maxWarning)
	r.job.say(r.step.Name, "Warning: "+text)
	if len(r.warnings) < maxWarnings {
		r.warnings = append(r.warnings, text)
	}
}

func (r *reports) summary() string {
	return fmt.Sprintf("Reports (%d): %s", r.read, cmp.Or(delivery.Results(r.merged.Tests(), r.merged.Coverage()), "nothing is in them"))
}
