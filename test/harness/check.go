package harness

import (
	"fmt"
	"strings"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
)

// History returns what happened to one thing.
func (a *API) History(ref delivery.Ref) []delivery.HistoryEntry {
	a.t.Helper()
	var page api.Page[delivery.HistoryEntry]
	a.Must("GET", fmt.Sprintf("/history?ref=%s&limit=500", ref), nil, &page)
	return page.Items
}

// Finishes counts how often the history says that a run's job finished.
func (a *API) Finishes(id delivery.RunID) int {
	a.t.Helper()
	n := 0
	for _, h := range a.History(delivery.Ref{Kind: delivery.KindRun, ID: string(id)}) {
		if h.Name == (delivery.JobFinished{}).Name() {
			n++
		}
	}
	return n
}

// LastLine wants "line 1", "line 2" and so on in a log, each once and in order, and
// returns the number of the last. Lines may lack where the log says how many do.
func LastLine(log string) (last int, err error) {
	lost := 0
	for _, line := range Lines(log) {
		if i := strings.Index(line, "… "); i >= 0 {
			var n int
			if _, err := fmt.Sscanf(line[i:], "… %d line", &n); err == nil {
				lost += n
			}
		}
		i := strings.Index(line, "line ")
		if i < 0 {
			continue
		}
		var n int
		if _, err := fmt.Sscanf(line[i:], "line %d", &n); err != nil {
			continue
		}
		if n <= last || n > last+1+lost {
			return last, fmt.Errorf("line %d where line %d belongs", n, last+1)
		}
		last, lost = n, 0
	}
	return last, nil
}
