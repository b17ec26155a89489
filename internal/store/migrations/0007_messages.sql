-- What channels are owed, and were; doc is as it was when the message came to be owed.
CREATE TABLE messages (
	seq      INTEGER PRIMARY KEY, -- the order in which they came to be owed
	id       TEXT    NOT NULL UNIQUE,
	channel  TEXT    NOT NULL,
	subject  TEXT    NOT NULL, -- the id of the run or release
	state    TEXT    NOT NULL CHECK (state IN ('owed', 'sent', 'refused', 'dropped')),
	ended_at INTEGER NOT NULL, -- 0 while it is owed
	why      TEXT    NOT NULL,
	doc      TEXT    NOT NULL
) STRICT;
CREATE INDEX messages_owed ON messages (channel, seq) WHERE state = 'owed';
CREATE INDEX messages_subject ON messages (subject);

CREATE TABLE outboxes (
	channel TEXT    NOT NULL PRIMARY KEY,
	version INTEGER NOT NULL CHECK (version > 0),
	doc     TEXT    NOT NULL
) STRICT;
