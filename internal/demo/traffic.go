package demo

import (
	"context"
	"io"
	"net/http"
	"sync"
	"time"
)

// revisionHeader names the version that answered; the local proxy sets it.
const revisionHeader = "X-Shiplock-Revision"

// answer is what became of one request.
type answer struct {
	began    time.Time
	at       time.Time // when it was complete
	revision string
	failed   bool
}

// traffic sends requests steadily and retries nothing, so that every failure counts.
type traffic struct {
	cancel  context.CancelFunc
	work    sync.WaitGroup
	mu      sync.Mutex
	answers []answer
	news    chan struct{} // a buffer of one: something was answered
}

// maxAnswers bounds what one measurement remembers.
const maxAnswers = 200_000

// pause is between two requests of a connection: what is built meanwhile needs the
// processors too.
const pause = 4 * time.Millisecond

// startTraffic sends requests to url from a few connections until stop.
func startTraffic(ctx context.Context, url string, connections int) *traffic {
	ctx, cancel := context.WithCancel(ctx)
	t := &traffic{cancel: cancel, news: make(chan struct{}, 1)}
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: connections}}
	for range connections {
		t.work.Go(func() {
			tick := time.NewTicker(pause)
			defer tick.Stop()
			for ctx.Err() == nil {
				a := ask(ctx, client, url)
				if ctx.Err() != nil {
					return // cut off by us, not by the service
				}
				t.note(a)
				select {
				case <-ctx.Done():
				case <-tick.C:
				}
			}
		})
	}
	return t
}

func ask(ctx context.Context, client *http.Client, url string) answer {
	began := time.Now()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return answer{began: began, at: time.Now(), failed: true}
	}
	resp, err := client.Do(req)
	if err != nil {
		return answer{began: began, at: time.Now(), failed: true}
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return answer{
		began: began, at: time.Now(), revision: resp.Header.Get(revisionHeader),
		failed: err != nil || resp.StatusCode >= 400,
	}
}

func (t *traffic) note(a answer) {
	t.mu.Lock()
	if len(t.answers) < maxAnswers {
		t.answers = append(t.answers, a)
	}
	t.mu.Unlock()
	select {
	case t.news <- struct{}{}:
	default:
	}
}

// atLeast waits until n requests that began after since were answered, and returns
// those.
func (t *traffic) atLeast(ctx context.Context, since time.Time, n int) ([]answer, error) {
	for {
		if got := t.after(since); len(got) >= n {
			return got, nil
		}
		select {
		case <-ctx.Done():
			return t.after(since), context.Cause(ctx)
		case <-t.news:
		}
	}
}

func (t *traffic) after(since time.Time) []answer {
	t.mu.Lock()
	defer t.mu.Unlock()
	var list []answer
	for _, a := range t.answers {
		if a.began.After(since) {
			list = append(list, a)
		}
	}
	return list
}

// stop ends the traffic and returns everything that was answered.
func (t *traffic) stop() []answer {
	t.cancel()
	t.work.Wait()
	return t.after(time.Time{})
}

// share returns which percentage of the answers a revision gave, and how many
// requests failed.
func share(answers []answer, revision string) (percent float64, failed int) {
	hits := 0
	for _, a := range answers {
		switch {
		case a.failed:
			failed++
		case a.revision == revision:
			hits++
		}
	}
	if len(answers) == 0 {
		return 0, 0
	}
	return 100 * float64(hits) / float64(len(answers)), failed
}
