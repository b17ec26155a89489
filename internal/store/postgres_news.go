package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"maps"
	"net"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	channel = "shiplock"
	notify  = `SELECT pg_notify($1, $2)`
	// maxPayload is below PostgreSQL's 8000 bytes.
	maxPayload = 7500
	// maxNews bounds what waits to be told; beyond it everything counts as changed.
	maxNews = 4096
	// newsPause is the least time between two notifications, which are merged in it.
	newsPause = 20 * time.Millisecond
	newsRetry = 200 * time.Millisecond
	// pingEvery finds out that a quiet connection is dead.
	pingEvery = 15 * time.Second
)

// news tells other replicas what changed. It has a connection and a goroutine of
// its own: a NOTIFY within the transactions themselves would have all of them
// commit one after the other.
type news struct {
	replica string
	listen  *pgx.ConnConfig
	db      *sql.DB
	kick    chan struct{} // a buffer of one
	quit    chan struct{}
	ended   chan struct{}

	mu      sync.Mutex
	changed map[delivery.Ref]int64
	missed  bool // anything may have changed
}

func startNews(cfg *pgx.ConnConfig, replica string) *news {
	n := &news{
		replica: replica, listen: cfg, db: pool(*cfg, 1), changed: map[delivery.Ref]int64{},
		kick: make(chan struct{}, 1), quit: make(chan struct{}), ended: make(chan struct{}),
	}
	go n.run()
	return n
}

func (n *news) close() error {
	close(n.quit)
	<-n.ended
	return n.db.Close()
}

func (n *news) add(changed map[delivery.Ref]int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.changed)+len(changed) > maxNews || len(changed) == 0 {
		n.missed = true
		clear(n.changed)
	}
	if !n.missed {
		for ref, version := range changed {
			n.changed[ref] = max(n.changed[ref], version)
		}
	}
	select {
	case n.kick <- struct{}{}:
	default: // it is pending already
	}
}

func (n *news) take() (changed map[delivery.Ref]int64, missed bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	changed, missed = n.changed, n.missed
	n.changed, n.missed = map[delivery.Ref]int64{}, false
	return changed, missed
}

func (n *news) run() {
	defer close(n.ended)
	for quit := false; !quit; {
		select {
		case <-n.kick:
		case <-n.quit:
			quit = true
		}
		pause := newsPause
		if err := n.send(); err != nil {
			n.add(nil)
			pause = newsRetry
		}
		select {
		case <-time.After(pause):
		case <-n.quit:
		}
	}
}

// send tells what is pending.
func (n *news) send() error {
	changed, missed := n.take()
	for _, payload := range payloads(n.replica, changed, missed) {
		ctx, cancel := context.WithTimeout(context.Background(), connectLimit)
		_, err := n.db.ExecContext(ctx, notify, channel, payload)
		cancel()
		if err != nil {
			return err
		}
	}
	return nil
}

// bulletin is one notification. Without Changed, anything may have.
type bulletin struct {
	From    string  `json:"from"`
	Changed []piece `json:"changed,omitempty"`
}

type piece struct {
	Kind    delivery.AggregateKind `json:"k"`
	ID      string                 `json:"i"`
	Version int64                  `json:"v"`
}

// payloads encodes what is to be told, in pieces that fit.
func payloads(from string, changed map[delivery.Ref]int64, missed bool) []string {
	b := bulletin{From: from}
	if missed {
		return []string{encodeBulletin(b)}
	}
	var all []string
	size := 0
	for ref, version := range changed {
		const overhead = 100 // of the rest, and of escapes that ids do not have
		if size += len(ref.ID) + overhead; size > maxPayload && len(b.Changed) > 0 {
			all, b.Changed, size = append(all, encodeBulletin(b)), nil, len(ref.ID)+overhead
		}
		b.Changed = append(b.Changed, piece{ref.Kind, ref.ID, version})
	}
	if len(b.Changed) > 0 {
		all = append(all, encodeBulletin(b))
	}
	return all
}

func encodeBulletin(b bulletin) string {
	text, err := json.Marshal(b)
	if err != nil || len(text) > maxPayload { // one very long id
		text, _ = json.Marshal(bulletin{From: b.From})
	}
	return string(text)
}

func (d *postgres) tell(changed map[delivery.Ref]int64) { d.news.add(maps.Clone(changed)) }

// hear listens until ctx ends, connecting again as often as needed. After each
// connection something may have been missed before it.
func (d *postgres) hear(ctx context.Context, heard func(map[delivery.Ref]int64)) error {
	for ctx.Err() == nil {
		_ = d.news.listenOnce(ctx, heard) // whoever needs the database says what is wrong with it
		select {
		case <-time.After(newsRetry):
		case <-ctx.Done():
		}
	}
	return nil
}

func (n *news) listenOnce(ctx context.Context, heard func(map[delivery.Ref]int64)) error {
	conn, err := pgx.ConnectConfig(ctx, n.listen)
	if err != nil {
		return err
	}
	defer closeSoon(conn)
	if _, err := conn.Exec(ctx, "LISTEN "+channel); err != nil {
		return err
	}
	heard(nil)
	for {
		note, err := nextNote(ctx, conn)
		if err != nil {
			return err
		}
		n.pass(note, heard)
	}
}

func closeSoon(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = conn.Close(ctx)
}

// nextNote waits for a notification, and makes sure now and then that the
// connection lives.
func nextNote(ctx context.Context, conn *pgx.Conn) (*pgconn.Notification, error) {
	for {
		wait, cancel := context.WithTimeout(ctx, pingEvery)
		note, err := conn.WaitForNotification(wait)
		cancel()
		if err == nil || ctx.Err() != nil || conn.IsClosed() {
			return note, err
		}
		alive, cancel := context.WithTimeout(ctx, connectLimit)
		err = conn.Ping(alive)
		cancel()
		if err != nil {
			return nil, err
		}
	}
}

func (n *news) pass(note *pgconn.Notification, heard func(map[delivery.Ref]int64)) {
	var b bulletin
	if err := json.Unmarshal([]byte(note.Payload), &b); err != nil {
		heard(nil) // not ours, or of a newer version
		return
	}
	if b.From == n.replica {
		return
	}
	if len(b.Changed) == 0 {
		heard(nil)
		return
	}
	changed := make(map[delivery.Ref]int64, len(b.Changed))
	for _, p := range b.Changed {
		changed[delivery.Ref{Kind: p.Kind, ID: p.ID}] = p.Version
	}
	heard(changed)
}

// dial finds out within seconds that the database's machine is gone, which nobody
// would say otherwise.
func dial(ctx context.Context, network, addr string) (net.Conn, error) {
	d := net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: 5 * time.Second, Count: 3}}
	return d.DialContext(ctx, network, addr)
}
