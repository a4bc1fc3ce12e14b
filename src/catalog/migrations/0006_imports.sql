-- Where imported snapshots came from: a snapshot with a row here is read from a dump, not from its cluster.

CREATE TABLE imports (
  snapshot TEXT PRIMARY KEY REFERENCES snapshots (id) ON DELETE CASCADE,
  path TEXT NOT NULL,
  format TEXT NOT NULL,
  notes TEXT NOT NULL
) WITHOUT ROWID;
