-- Entries of the audit, in a chain of hashes (see delivery.AuditRecord). Their numbers
-- have no gaps. Older entries are taken over by the program, which chains them.
ALTER TABLE audit RENAME TO audit_before;
CREATE TABLE audit (
	seq  INTEGER NOT NULL PRIMARY KEY,
	at   INTEGER NOT NULL, -- of the doc, to find it by
	hash TEXT    NOT NULL,
	doc  TEXT    NOT NULL
) STRICT;
CREATE INDEX audit_at ON audit (at);

-- One row: the head of the chain.
CREATE TABLE audit_head (
	id          INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
	seq         INTEGER NOT NULL,
	hash        TEXT    NOT NULL,
	n           INTEGER NOT NULL,
	anchor_seq  INTEGER NOT NULL, -- of the last entry that retention let go
	anchor_hash TEXT    NOT NULL,
	seal        TEXT    NOT NULL
) STRICT;
INSERT INTO audit_head (id, seq, hash, n, anchor_seq, anchor_hash, seal) VALUES (1, 0,
	'0000000000000000000000000000000000000000000000000000000000000000', 0, 0,
	'0000000000000000000000000000000000000000000000000000000000000000', '');
