package server

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	maxRefs      = 32
	historyPage  = 200
	coalesceOver = 50 * time.Millisecond
)

type eventsInput struct {
	Refs   []string `query:"ref,explode" maxItems:"32" doc:"aggregates as kind/id, or kind/id@version to begin after a version; without any, the stream names whatever changed"`
	LastID string   `header:"Last-Event-ID" doc:"the id of the last event that was received"`
}

// streamEvents serves the history of some aggregates, or the feed of all changes.
func (s *Server) streamEvents(w http.ResponseWriter, r *http.Request, in *eventsInput) error {
	if len(in.Refs) == 0 {
		return s.streamChanges(w, r)
	}
	marks, err := parseMarks(in.Refs)
	if err != nil {
		return err
	}
	v, err := s.sight(r.Context())
	if err != nil {
		return err
	}
	if err := s.mayFollow(r.Context(), v, marks); err != nil {
		return err
	}
	if in.LastID != "" {
		if marks, err = resume(marks, in.LastID); err != nil {
			return err
		}
	}
	return s.streamHistory(w, r, marks)
}

// streamChanges says which aggregates changed, merged over 50 ms. It has no past:
// who connects reads the status first.
func (s *Server) streamChanges(w http.ResponseWriter, r *http.Request) error {
	news := s.cfg.Engine.Live().Listen(nil)
	defer news.Close()
	out, err := openEvents(w)
	if err != nil {
		return err
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		select {
		case <-r.Context().Done():
			return nil
		case <-s.stopping:
			return nil
		case <-beat.C:
			err = out.beat()
		case <-news.Ready():
			var seen map[delivery.Ref]int64
			if seen, err = s.seen(r.Context(), news.Take()); err == nil && len(seen) > 0 {
				err = out.send(api.EventChanged, "", changes(seen))
			}
			pause(r.Context(), s.stopping, coalesceOver)
		}
		if err != nil {
			return nil // the reader is gone, or has lost its roles
		}
	}
}

// mayFollow refuses aggregates that may not be seen, as if they were not there.
func (s *Server) mayFollow(ctx context.Context, v sight, marks []mark) error {
	for _, m := range marks {
		ok, err := s.aggregate(ctx, v, m.ref)
		if err != nil {
			return err
		}
		if !ok {
			return hidden(string(m.ref.Kind), m.ref.ID)
		}
	}
	return nil
}

// seen leaves out of what changed what the reader may not see by now.
func (s *Server) seen(ctx context.Context, changed map[delivery.Ref]int64) (map[delivery.Ref]int64, error) {
	v, err := s.sight(ctx)
	if err != nil {
		return nil, err
	}
	if !v.some() {
		return nil, roleless(principal(ctx).Actor)
	}
	for ref := range changed {
		ok, err := s.aggregate(ctx, v, ref)
		if err != nil {
			return nil, err
		}
		if !ok {
			delete(changed, ref)
		}
	}
	return changed, nil
}

func changes(versions map[delivery.Ref]int64) []byte {
	list := make([]api.Changed, 0, len(versions))
	for ref, v := range versions {
		list = append(list, api.Changed{Ref: ref.String(), Version: v})
	}
	data, _ := json.Marshal(list) // strings and numbers
	return data
}

// pause waits, but not for longer than the stream lives.
func pause(ctx context.Context, stopping <-chan struct{}, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	case <-stopping:
	}
}

// streamHistory sends every fact after the marks, old ones first.
func (s *Server) streamHistory(w http.ResponseWriter, r *http.Request, marks []mark) error {
	wanted := make(map[delivery.Ref]bool, len(marks)) // asked by other goroutines, so not in marks
	for _, m := range marks {
		wanted[m.ref] = true
	}
	news := s.cfg.Engine.Live().Listen(func(ref delivery.Ref) bool { return wanted[ref] })
	defer news.Close()
	out, err := openEvents(w)
	if err != nil {
		return err
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		if err := s.sendHistory(r.Context(), out, marks); err != nil {
			s.cfg.Log.Debug("event stream ended", "request", requestID(r.Context()), "err", err)
			return nil // the reader comes back with its Last-Event-ID
		}
		select {
		case <-r.Context().Done():
			return nil
		case <-s.stopping:
			return nil
		case <-beat.C:
			if out.beat() != nil {
				return nil
			}
		case <-news.Ready():
			news.Take()
		}
	}
}

// sendHistory sends what is after each mark and moves the marks on.
func (s *Server) sendHistory(ctx context.Context, out *events, marks []mark) error {
	v, err := s.sight(ctx)
	if err != nil {
		return err
	}
	if err := s.mayFollow(ctx, v, marks); err != nil {
		return err // roles may have gone meanwhile
	}
	for i := range marks {
		for more := true; more; {
			entries, err := s.cfg.Reader.History(ctx, marks[i].ref, marks[i].after(), historyPage)
			if err != nil {
				return err
			}
			if err := sendEntries(out, marks, i, entries); err != nil {
				return err
			}
			more = len(entries) >= historyPage
		}
	}
	return nil
}

// sendEntries sends whole versions of the i-th aggregate, in order.
func sendEntries(out *events, marks []mark, i int, entries []delivery.HistoryEntry) error {
	m := &marks[i]
	n := 0 // of the fact in its version
	for j, h := range entries {
		if n++; j > 0 && entries[j-1].Version != h.Version {
			n = 1
		}
		if h.Version == m.version && n <= m.n {
			continue // seen before the stream was resumed
		}
		m.version, m.n = h.Version, n
		data, err := json.Marshal(h)
		if err != nil {
			return err
		}
		if err := out.send(api.EventHistory, joinMarks(marks), data); err != nil {
			return err
		}
	}
	m.n = 0
	return nil
}

// mark is a place in an aggregate's history: after the n-th fact of a version,
// from 1, or after all of the version when n is 0.
type mark struct {
	ref     delivery.Ref
	version int64
	n       int
}

// after is the version after which history is read.
func (m mark) after() int64 {
	if m.n > 0 {
		return m.version - 1
	}
	return m.version
}

func (m mark) String() string { return fmt.Sprintf("%s@%d.%d", m.ref, m.version, m.n) }

// joinMarks is the event id: every place, so that one id resumes all.
func joinMarks(marks []mark) string {
	ids := make([]string, len(marks))
	for i, m := range marks {
		ids[i] = m.String()
	}
	return strings.Join(ids, ",")
}

func parseMarks(refs []string) ([]mark, error) {
	if len(refs) > maxRefs {
		return nil, delivery.E(delivery.Invalid, fmt.Sprintf("%d aggregates: a stream follows %d at most", len(refs), maxRefs))
	}
	marks := make([]mark, len(refs))
	for i, ref := range refs {
		m, ok := parseMark(ref)
		if !ok {
			return nil, delivery.E(delivery.Invalid, fmt.Sprintf("%.80q names no aggregate: write run/ID, release/ID, target/APP/ENV or hook/ID", ref))
		}
		marks[i] = m
	}
	return marks, nil
}

// parseMark reads "kind/id", "kind/id@version" or "kind/id@version.n".
func parseMark(s string) (mark, bool) {
	name, place, placed := strings.Cut(s, "@")
	kind, id, ok := strings.Cut(name, "/")
	m := mark{ref: delivery.Ref{Kind: delivery.AggregateKind(kind), ID: id}}
	switch m.ref.Kind {
	case delivery.KindRun, delivery.KindRelease, delivery.KindTarget, delivery.KindHook:
	default:
		return m, false
	}
	if !ok || id == "" || len(id) > 200 {
		return m, false
	}
	if !placed {
		return m, true
	}
	version, n, counted := strings.Cut(place, ".")
	var err error
	if m.version, err = strconv.ParseInt(version, 10, 64); err != nil || m.version < 0 {
		return m, false
	}
	if counted {
		m.n, err = strconv.Atoi(n)
	}
	return m, err == nil && m.n >= 0
}

// resume moves the marks to where the last event stood.
func resume(marks []mark, lastID string) ([]mark, error) {
	last, err := parseMarks(strings.Split(lastID, ","))
	if err != nil {
		return nil, err
	}
	for i, m := range marks {
		for _, l := range last {
			if l.ref == m.ref {
				marks[i] = l
			}
		}
	}
	return marks, nil
}
