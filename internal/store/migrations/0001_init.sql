-- Aggregates are JSON documents. The columns beside a document are what it is
-- found by; where both hold the same thing (version, number), the column is right.
-- Times are UTC milliseconds.

CREATE TABLE hooks (
	seq     INTEGER PRIMARY KEY, -- the order of arrival
	id      TEXT    NOT NULL UNIQUE,
	repo    TEXT    NOT NULL,
	branch  TEXT    NOT NULL,
	state   TEXT    NOT NULL CHECK (state IN ('received', 'expanded', 'ignored')),
	version INTEGER NOT NULL CHECK (version > 0),
	doc     TEXT    NOT NULL
) STRICT;
CREATE INDEX hooks_repo ON hooks (repo, seq);
CREATE INDEX hooks_received ON hooks (repo, branch, seq) WHERE state = 'received';

CREATE TABLE runs (
	id       TEXT    NOT NULL PRIMARY KEY,
	app      TEXT    NOT NULL,
	number   INTEGER NOT NULL CHECK (number > 0),
	env      TEXT    NOT NULL,
	hook     TEXT    NOT NULL,
	state    TEXT    NOT NULL CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'errored', 'canceled')),
	artifact TEXT    NOT NULL,
	version  INTEGER NOT NULL CHECK (version > 0),
	doc      TEXT    NOT NULL,
	UNIQUE (app, number)
) STRICT;
CREATE INDEX runs_app ON runs (app, id);
CREATE INDEX runs_hook ON runs (hook, id) WHERE hook <> '';
CREATE INDEX runs_pushed ON runs (app, env, number) WHERE hook <> '';
CREATE INDEX runs_pushed_queued ON runs (app, env, number) WHERE state = 'queued' AND hook <> '';
CREATE INDEX runs_artifact ON runs (app, env, number) WHERE state = 'succeeded' AND artifact <> '';

-- The jobs that wait or may be alive; a job that ended has no row.
CREATE TABLE jobs (
	run      TEXT    NOT NULL,
	job      TEXT    NOT NULL,
	state    TEXT    NOT NULL CHECK (state IN ('queued', 'starting', 'running')),
	lane     INTEGER NOT NULL,
	team     TEXT    NOT NULL,
	since    INTEGER NOT NULL,
	ready_at INTEGER NOT NULL, -- a queued job may not be admitted earlier
	PRIMARY KEY (run, job)
) STRICT, WITHOUT ROWID;
CREATE INDEX jobs_queued ON jobs (lane, team, since, run, job, ready_at) WHERE state = 'queued';
CREATE INDEX jobs_active ON jobs (run) WHERE state <> 'queued';

CREATE TABLE targets (
	app     TEXT    NOT NULL,
	env     TEXT    NOT NULL,
	version INTEGER NOT NULL CHECK (version > 0),
	doc     TEXT    NOT NULL,
	PRIMARY KEY (app, env)
) STRICT;

CREATE TABLE releases (
	id      TEXT    NOT NULL PRIMARY KEY,
	app     TEXT    NOT NULL,
	env     TEXT    NOT NULL,
	state   TEXT    NOT NULL CHECK (state IN ('proposed', 'rolling', 'paused', 'deployed', 'aborted', 'failed', 'canceled', 'superseded')),
	version INTEGER NOT NULL CHECK (version > 0),
	doc     TEXT    NOT NULL
) STRICT;
CREATE INDEX releases_target ON releases (app, env, id);
CREATE INDEX releases_proposed ON releases (app, env, id) WHERE state = 'proposed';

CREATE TABLE notifications (
	id      TEXT    NOT NULL PRIMARY KEY,
	version INTEGER NOT NULL CHECK (version > 0),
	doc     TEXT    NOT NULL
) STRICT;

CREATE TABLE admission (
	id      TEXT    NOT NULL PRIMARY KEY,
	version INTEGER NOT NULL CHECK (version > 0),
	doc     TEXT    NOT NULL
) STRICT;

CREATE TABLE artifacts (
	app        TEXT    NOT NULL,
	digest     TEXT    NOT NULL,
	created_at INTEGER NOT NULL,
	doc        TEXT    NOT NULL,
	PRIMARY KEY (app, digest)
) STRICT;
CREATE INDEX artifacts_newest ON artifacts (app, created_at);

CREATE TABLE documents (
	kind    TEXT    NOT NULL,
	name    TEXT    NOT NULL,
	version INTEGER NOT NULL CHECK (version > 0),
	doc     TEXT    NOT NULL,
	PRIMARY KEY (kind, name)
) STRICT;

-- One row: counts every change of the documents.
CREATE TABLE catalog (
	id      INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
	version INTEGER NOT NULL
) STRICT;
INSERT INTO catalog (id, version) VALUES (1, 0);

CREATE TABLE history (
	kind    TEXT    NOT NULL,
	id      TEXT    NOT NULL,
	version INTEGER NOT NULL,
	n       INTEGER NOT NULL, -- several facts may make one version
	doc     TEXT    NOT NULL,
	PRIMARY KEY (kind, id, version, n)
) STRICT;

CREATE TABLE audit (
	seq INTEGER PRIMARY KEY,
	doc TEXT    NOT NULL
) STRICT;

-- What to look at, and when. owner is the replica that works on it, or ''.
CREATE TABLE wakes (
	kind   TEXT    NOT NULL,
	id     TEXT    NOT NULL,
	due_at INTEGER NOT NULL,
	seq    INTEGER NOT NULL CHECK (seq > 0), -- counts how often it was woken
	owner  TEXT    NOT NULL,
	tries  INTEGER NOT NULL CHECK (tries >= 0),
	why    TEXT    NOT NULL,
	PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX wakes_due ON wakes (due_at) WHERE owner = '';
CREATE INDEX wakes_owned ON wakes (owner) WHERE owner <> '';

CREATE TABLE replicas (
	id    TEXT    NOT NULL PRIMARY KEY,
	until INTEGER NOT NULL -- the end of its lease
) STRICT, WITHOUT ROWID;

CREATE TABLE tokens (
	id         TEXT    NOT NULL PRIMARY KEY,
	name       TEXT    NOT NULL,
	hash       TEXT    NOT NULL UNIQUE,
	grants     TEXT    NOT NULL,
	created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE meta (
	key   TEXT NOT NULL PRIMARY KEY,
	value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
