-- The number of the last change that each writer of a replica has committed: on
-- PostgreSQL a COMMIT may get no answer, and this is how to find out.
CREATE TABLE commits (
	replica TEXT    NOT NULL,
	writer  INTEGER NOT NULL,
	n       INTEGER NOT NULL,
	PRIMARY KEY (replica, writer)
) STRICT, WITHOUT ROWID;
