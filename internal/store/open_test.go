package store

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/shiplock/shiplock/internal/delivery"
)

func TestNewerSchemaIsRefused(t *testing.T) {
	cfg := Config{Path: filepath.Join(t.TempDir(), "shiplock.db"), Now: time.Now, NewID: uuid.NewString}
	s, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	err = s.write(t.Context(), durable, func(tx *tx) error {
		_, err := tx.exec(`INSERT INTO migrations (number) VALUES (9999)`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), cfg)
	if delivery.KindOf(err) != delivery.Conflict || !strings.Contains(err.Error(), "newer Shiplock") {
		t.Fatalf("got %v", err)
	}
}

func TestOpenSaysWhatToDo(t *testing.T) {
	_, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "no", "such", "folder", "shiplock.db"), Now: time.Now, NewID: uuid.NewString})
	if delivery.KindOf(err) != delivery.Unavailable || !strings.Contains(err.Error(), "make its folder") {
		t.Fatalf("got %v", err)
	}
}

// TestIndexed: what the engine asks on its hot path never reads a whole table,
// nor sorts.
func TestIndexed(t *testing.T) {
	s := openHere(t)
	for _, query := range []string{
		selectHook, earlierHook, laterHook,
		selectRun, selectRunByNumber, olderQueued, latestArtifact, activeJobs, waitingJobs,
		selectTarget, selectRelease, waitingReleases, selectNotification, selectAdmission,
		selectArtifact, listArtifacts, listHistory, listAudit, findToken, selectMeta,
		lockWake, takeWakes,
	} {
		rows, err := s.reader.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query, 1, 2, 3, 4)
		if err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		err = eachRow(rows, func(row scanner) error {
			var id, parent, unused int
			var detail string
			err := row.Scan(&id, &parent, &unused, &detail)
			scans := strings.HasPrefix(detail, "SCAN") && !strings.Contains(detail, "INDEX") && !strings.Contains(detail, "CONSTANT ROW")
			if scans || strings.Contains(detail, "TEMP B-TREE") {
				t.Errorf("%s\n\t%s", query, detail)
			}
			return err
		})
		if err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	}
}

// TestPathIsNoURL: a path is a path, whatever SQLite's URIs mean by its characters.
func TestPathIsNoURL(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b?mode=memory#%20.db")
	s, err := Open(t.Context(), Config{Path: path, Now: time.Now, NewID: uuid.NewString})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}
