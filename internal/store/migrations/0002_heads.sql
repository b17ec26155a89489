-- Where the branches of repositories were when they were last accounted for; sha is
-- '' for a branch that was looked for and was not there.
CREATE TABLE heads (
	repo    TEXT    NOT NULL,
	branch  TEXT    NOT NULL,
	sha     TEXT    NOT NULL,
	seen_at INTEGER NOT NULL,
	PRIMARY KEY (repo, branch)
) STRICT, WITHOUT ROWID;

-- For the hooks of one branch, the newest first.
CREATE INDEX hooks_branch ON hooks (repo, branch, seq);
