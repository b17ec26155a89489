package joblog_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/shiplock/shiplock/internal/joblog"
)

func TestExpireLeavesALineThatSaysWhy(t *testing.T) {
	for name, prepare := range map[string]func(*testing.T, *joblog.Store){
		"open":     func(*testing.T, *joblog.Store) {},
		"finished": func(t *testing.T, s *joblog.Store) { finish(t, s) },
		"twice": func(t *testing.T, s *joblog.Store) {
			if err := s.Expire(t.Context(), attempt, "before"); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			s := open(t, root, "a")
			appendOK(t, s, batch(1, 3000), 3000)
			prepare(t, s)
			if err := s.Expire(t.Context(), attempt, "older than 30d"); err != nil {
				t.Fatal(err)
			}
			for _, s := range []*joblog.Store{s, open(t, root, "b")} {
				got := all(t, s)
				if len(got) != 1 || got[0].Text != "… 3000 lines lost: older than 30d" {
					t.Fatalf("got %+v", got)
				}
				if p := read(t, s, joblog.Query{From: -1}); !p.Closed || p.Last != 3000 {
					t.Errorf("%+v", p)
				}
			}
			files, err := os.ReadDir(filepath.Join(root, attempt))
			if err != nil || len(files) != 1 {
				t.Errorf("%v, %v", files, err)
			}
		})
	}
}

func TestExpireOfNothing(t *testing.T) {
	s := open(t, t.TempDir(), "a")
	if err := s.Expire(t.Context(), attempt, "old"); err != nil {
		t.Fatal(err)
	}
	if p := read(t, s, joblog.Query{}); len(p.Lines) != 0 || !p.Closed {
		t.Errorf("%+v", p)
	}
}
