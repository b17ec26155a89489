-- What is sealed. master names the key that wraps the data key; the doc never holds a
-- value in the clear.
CREATE TABLE secrets (
	name    TEXT    NOT NULL PRIMARY KEY,
	master  TEXT    NOT NULL CHECK (master <> ''),
	version INTEGER NOT NULL CHECK (version > 0),
	doc     TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX secrets_master ON secrets (master);
