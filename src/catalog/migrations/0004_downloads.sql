-- The download side of restores with delivery 1. `complete` counts downloads that have got the last byte; size and sha1
-- (hex) are those of the archive, once somebody has packed all of it.
CREATE TABLE downloads (
  restore TEXT PRIMARY KEY REFERENCES restores (id),
  key_hash TEXT NOT NULL,
  sealed_key BLOB NOT NULL,
  file_name TEXT NOT NULL,
  expiration_hours INTEGER NOT NULL,
  max_downloads INTEGER NOT NULL CHECK (max_downloads >= 1),
  complete INTEGER NOT NULL CHECK (complete BETWEEN 0 AND max_downloads),
  size INTEGER,
  sha1 TEXT NOT NULL
) WITHOUT ROWID;

-- One download by one client, in one or several requests. States: 0 reserved, 1 complete (counted above), 2 released: it
-- broke off, and takes no place until a request goes on with it. A row goes an hour after it was last touched.
CREATE TABLE download_runs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  restore TEXT NOT NULL REFERENCES downloads (restore),
  state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 2),
  open INTEGER NOT NULL CHECK (open >= 0),
  sent INTEGER NOT NULL,
  touched INTEGER NOT NULL
);

CREATE INDEX download_runs_of ON download_runs (restore, touched);
CREATE INDEX download_runs_open ON download_runs (id) WHERE open > 0;
CREATE INDEX restores_downloading ON restores (snapshot) WHERE delivery = 1;
