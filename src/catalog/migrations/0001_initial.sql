-- Ids are 24 hex digits, instants whole microseconds since 1970, enumerations the numbers in src/domain.
-- NULL stands for an id that is not set and for an instant that has not come.

CREATE TABLE organizations (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE projects (
  id TEXT PRIMARY KEY,
  organization TEXT NOT NULL REFERENCES organizations (id),
  name TEXT NOT NULL,
  created INTEGER NOT NULL,
  UNIQUE (organization, name)
) WITHOUT ROWID;

CREATE TABLE keys (
  id TEXT PRIMARY KEY,
  organization TEXT NOT NULL REFERENCES organizations (id),
  kind INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 1),
  public_name TEXT NOT NULL UNIQUE,
  description TEXT NOT NULL,
  sealed_secret BLOB NOT NULL,
  created INTEGER NOT NULL,
  revoked INTEGER
) WITHOUT ROWID;

CREATE INDEX keys_by_organization ON keys (organization, created, id);

CREATE TABLE grants (
  key TEXT NOT NULL REFERENCES keys (id),
  position INTEGER NOT NULL,
  role INTEGER NOT NULL CHECK (role BETWEEN 0 AND 5),
  organization TEXT,
  project TEXT,
  PRIMARY KEY (key, position)
) WITHOUT ROWID;

CREATE TABLE tokens (
  hash TEXT PRIMARY KEY,
  key TEXT NOT NULL REFERENCES keys (id),
  expires INTEGER NOT NULL
) WITHOUT ROWID;

CREATE INDEX tokens_by_expiry ON tokens (expires);

CREATE TABLE clusters (
  id TEXT PRIMARY KEY,
  project TEXT NOT NULL REFERENCES projects (id),
  name TEXT NOT NULL,
  tier INTEGER NOT NULL CHECK (tier BETWEEN 0 AND 2),
  topology INTEGER NOT NULL CHECK (topology BETWEEN 0 AND 3),
  mongodb_version TEXT NOT NULL,
  replica_set_name TEXT NOT NULL,
  connection_string BLOB NOT NULL,
  encryption_at_rest INTEGER NOT NULL,
  paused INTEGER NOT NULL,
  require_quiet INTEGER NOT NULL,
  allow_lossy INTEGER NOT NULL,
  created INTEGER NOT NULL,
  removed INTEGER
) WITHOUT ROWID;

-- A removed cluster's name is free again.
CREATE UNIQUE INDEX clusters_registered ON clusters (project, name) WHERE removed IS NULL;

CREATE TABLE snapshots (
  id TEXT PRIMARY KEY,
  project TEXT NOT NULL REFERENCES projects (id),
  cluster TEXT NOT NULL REFERENCES clusters (id),
  cluster_name TEXT NOT NULL,
  state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 4),
  description TEXT NOT NULL,
  scheduled INTEGER NOT NULL,
  started INTEGER,
  finished INTEGER,
  expires INTEGER NOT NULL,
  deleted INTEGER,
  mongodb_version TEXT NOT NULL,
  consistent INTEGER NOT NULL,
  inconsistent_reason TEXT NOT NULL,
  position_seconds INTEGER NOT NULL,
  position_increment INTEGER NOT NULL,
  failure TEXT NOT NULL,
  collections INTEGER NOT NULL,
  documents INTEGER NOT NULL,
  logical_bytes INTEGER NOT NULL,
  stored_bytes INTEGER NOT NULL
) WITHOUT ROWID;

CREATE INDEX snapshots_listed ON snapshots (cluster, scheduled DESC, id DESC)
  WHERE deleted IS NULL;
CREATE INDEX snapshots_unfinished ON snapshots (cluster) WHERE state < 3;

CREATE TABLE restores (
  id TEXT PRIMARY KEY,
  project TEXT NOT NULL REFERENCES projects (id),
  cluster TEXT NOT NULL REFERENCES clusters (id),
  cluster_name TEXT NOT NULL,
  snapshot TEXT NOT NULL REFERENCES snapshots (id),
  snapshot_finished INTEGER NOT NULL,
  position_seconds INTEGER NOT NULL,
  position_increment INTEGER NOT NULL,
  delivery INTEGER NOT NULL CHECK (delivery BETWEEN 0 AND 1),
  target_project TEXT REFERENCES projects (id),
  target_cluster TEXT REFERENCES clusters (id),
  target_name TEXT NOT NULL,
  state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 4),
  created INTEGER NOT NULL,
  expires INTEGER NOT NULL,
  finished INTEGER,
  failure TEXT NOT NULL,
  requested_by TEXT,
  CHECK ((delivery = 0) = (target_cluster IS NOT NULL))
) WITHOUT ROWID;

CREATE INDEX restores_listed ON restores (cluster, created DESC, id DESC);
CREATE INDEX restores_reading ON restores (snapshot) WHERE state < 3;
-- At most one unfinished restore writes to a cluster.
CREATE UNIQUE INDEX restores_into ON restores (target_cluster)
  WHERE state < 3 AND target_cluster IS NOT NULL;

CREATE TABLE jobs (
  id TEXT PRIMARY KEY,
  kind INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 1),
  subject TEXT NOT NULL UNIQUE,
  state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 2),
  owner TEXT NOT NULL,
  lease_until INTEGER,
  fence INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  checkpoint BLOB NOT NULL,
  phase TEXT NOT NULL,
  documents_done INTEGER NOT NULL,
  documents_total INTEGER NOT NULL,
  bytes_done INTEGER NOT NULL,
  bytes_total INTEGER NOT NULL,
  collections_done INTEGER NOT NULL,
  collections_total INTEGER NOT NULL,
  created INTEGER NOT NULL
) WITHOUT ROWID;

CREATE INDEX jobs_to_do ON jobs (created, id) WHERE state < 2;
