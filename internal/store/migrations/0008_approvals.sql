-- Releases may be rejected and may expire; review tells those that an emergency left
-- to be looked at. A CHECK cannot be changed, so the table is made anew.
CREATE TABLE releases_anew (
	id      TEXT    NOT NULL PRIMARY KEY,
	app     TEXT    NOT NULL,
	env     TEXT    NOT NULL,
	state   TEXT    NOT NULL CHECK (state IN ('proposed', 'rolling', 'paused', 'deployed', 'aborted', 'failed', 'canceled', 'superseded', 'rejected', 'expired')),
	review  INTEGER NOT NULL CHECK (review IN (0, 1)),
	version INTEGER NOT NULL CHECK (version > 0),
	doc     TEXT    NOT NULL
) STRICT;
INSERT INTO releases_anew (id, app, env, state, review, version, doc) SELECT id, app, env, state, 0, version, doc FROM releases;
DROP TABLE releases;
ALTER TABLE releases_anew RENAME TO releases;
CREATE INDEX releases_target ON releases (app, env, id);
CREATE INDEX releases_proposed ON releases (app, env, id) WHERE state = 'proposed';
CREATE INDEX releases_review ON releases (id) WHERE review = 1;
CREATE INDEX releases_open ON releases (id) WHERE state IN ('proposed', 'rolling', 'paused');
