-- Snapshots that are copied into object storage. Kinds, providers and states: domain/export.h.
CREATE TABLE export_targets (
  id TEXT PRIMARY KEY,
  project TEXT NOT NULL REFERENCES projects (id),
  bucket TEXT NOT NULL,
  kind INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 1),
  endpoint TEXT NOT NULL,
  region TEXT NOT NULL,
  access_key TEXT NOT NULL,
  sealed_secret BLOB NOT NULL,
  created INTEGER NOT NULL,
  UNIQUE (project, bucket)
) WITHOUT ROWID;

CREATE TABLE export_buckets (
  id TEXT PRIMARY KEY,
  project TEXT NOT NULL REFERENCES projects (id),
  provider INTEGER NOT NULL CHECK (provider BETWEEN 0 AND 2),
  bucket TEXT NOT NULL,
  role TEXT NOT NULL,
  service_url TEXT NOT NULL,
  tenant TEXT NOT NULL,
  region TEXT NOT NULL,
  private_networking INTEGER NOT NULL CHECK (private_networking BETWEEN 0 AND 1),
  created INTEGER NOT NULL,
  UNIQUE (project, bucket, role),
  FOREIGN KEY (project, bucket) REFERENCES export_targets (project, bucket)
) WITHOUT ROWID;

CREATE INDEX export_buckets_of_project ON export_buckets (project, created, id);

-- The bucket of a finished one may be gone.
CREATE TABLE exports (
  id TEXT PRIMARY KEY,
  project TEXT NOT NULL REFERENCES projects (id),
  cluster TEXT NOT NULL REFERENCES clusters (id),
  cluster_name TEXT NOT NULL,
  replica_set_name TEXT NOT NULL,
  snapshot TEXT NOT NULL,
  bucket TEXT NOT NULL,
  state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 5),
  prefix TEXT NOT NULL,
  custom_data TEXT NOT NULL,
  collections INTEGER NOT NULL,
  created INTEGER NOT NULL,
  finished INTEGER,
  failure TEXT NOT NULL,
  requested_by TEXT NOT NULL
) WITHOUT ROWID;

CREATE INDEX exports_of_cluster ON exports (cluster, created, id);
CREATE UNIQUE INDEX exports_running ON exports (snapshot) WHERE state < 3;

CREATE TRIGGER export_targets_of_deleted_project BEFORE INSERT ON export_targets
WHEN (SELECT deleted FROM projects WHERE id = NEW.project) IS NOT NULL
BEGIN
  SELECT RAISE(ABORT, 'the project has been deleted');
END;

-- Nobody could see or remove them any more.
CREATE TRIGGER project_deleted_with_exports AFTER UPDATE OF deleted ON projects WHEN NEW.deleted IS NOT NULL
BEGIN
  DELETE FROM export_buckets WHERE project = NEW.id;
  DELETE FROM export_targets WHERE project = NEW.id;
END;

-- Events and jobs without an upper bound of their kinds: each kind of job brings its own. Other objects' triggers name
-- the tables and stay as they are; numbers of events go on where they were.
PRAGMA legacy_alter_table = ON;
CREATE TABLE events_of_any_kind (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  kind INTEGER NOT NULL CHECK (kind >= 0),
  at INTEGER NOT NULL,
  project TEXT NOT NULL,
  cluster TEXT NOT NULL,
  object TEXT NOT NULL,
  reason TEXT NOT NULL
);
INSERT INTO sqlite_sequence (name, seq) SELECT 'events_of_any_kind', seq FROM sqlite_sequence WHERE name = 'events';
INSERT INTO events_of_any_kind SELECT number, kind, at, project, cluster, object, reason FROM events;
DROP TABLE events;
ALTER TABLE events_of_any_kind RENAME TO events;

CREATE TABLE jobs_of_any_kind (
  id TEXT PRIMARY KEY,
  kind INTEGER NOT NULL CHECK (kind >= 0),
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
INSERT INTO jobs_of_any_kind SELECT id, kind, subject, state, owner, lease_until, fence, attempts, checkpoint, phase,
  documents_done, documents_total, bytes_done, bytes_total, collections_done, collections_total, created FROM jobs;
DROP TABLE jobs;
ALTER TABLE jobs_of_any_kind RENAME TO jobs;
CREATE INDEX jobs_to_do ON jobs (created, id) WHERE state < 2;
PRAGMA legacy_alter_table = OFF;

CREATE TRIGGER export_ended AFTER UPDATE OF state ON exports WHEN NEW.state >= 3 AND OLD.state < 3
BEGIN
  INSERT INTO events (kind, at, project, cluster, object, reason)
  VALUES (CASE NEW.state WHEN 3 THEN 8 ELSE 9 END, coalesce(NEW.finished, NEW.created), NEW.project, NEW.cluster_name,
    NEW.id, NEW.failure);
END;

-- A channel that wants every failure there was (bits 1, 3, 5 and 6) wants this one, too.
UPDATE channels SET events = events | 512 WHERE events & 106 = 106;
