-- Who may sign in. identity is who they are at an identity provider, or ''; password
-- is a hash with its parameters, or ''.
CREATE TABLE users (
	name     TEXT    NOT NULL PRIMARY KEY,
	identity TEXT    NOT NULL,
	password TEXT    NOT NULL,
	version  INTEGER NOT NULL CHECK (version > 0),
	doc      TEXT    NOT NULL
) STRICT;
CREATE UNIQUE INDEX users_identity ON users (identity) WHERE identity <> '';

-- owner is a user's name, or '' for tokens with grants of their own; epoch is the
-- owner's when the token was made. A session has the token that it was opened with in
-- opened_by. Times are 0 for never.
ALTER TABLE tokens ADD COLUMN kind TEXT NOT NULL DEFAULT 'token';
ALTER TABLE tokens ADD COLUMN owner TEXT NOT NULL DEFAULT '';
ALTER TABLE tokens ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tokens ADD COLUMN scope TEXT NOT NULL DEFAULT '';
ALTER TABLE tokens ADD COLUMN asked_from TEXT NOT NULL DEFAULT '';
ALTER TABLE tokens ADD COLUMN opened_by TEXT NOT NULL DEFAULT '';
ALTER TABLE tokens ADD COLUMN expires_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tokens ADD COLUMN used_at INTEGER NOT NULL DEFAULT 0;
UPDATE tokens SET kind = 'session', expires_at = created_at + 604800000 WHERE id LIKE 'session-%';
CREATE INDEX tokens_owner ON tokens (owner) WHERE owner <> '';
CREATE INDEX tokens_expiry ON tokens (expires_at) WHERE expires_at > 0;
