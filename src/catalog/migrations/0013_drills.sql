-- Restore drills, archives that are pushed, and the numbers of domain/ that the first tables did not know. SQLite
-- changes no CHECK; its manual (lang_altertable, 7) has this way for it, which leaves the rows and whatever columns
-- the tables have by now as they are.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(replace(replace(replace(replace(sql, 'kind BETWEEN 0 AND 1)', 'kind BETWEEN 0 AND 63)'),
  'kind BETWEEN 0 AND 2)', 'kind BETWEEN 0 AND 63)'), 'kind BETWEEN 0 AND 3)', 'kind BETWEEN 0 AND 63)'),
  'kind BETWEEN 0 AND 4)', 'kind BETWEEN 0 AND 63)'), 'kind BETWEEN 0 AND 5)', 'kind BETWEEN 0 AND 63)')
WHERE type = 'table' AND name = 'jobs';
UPDATE sqlite_schema SET sql = replace(replace(replace(replace(replace(sql, 'delivery BETWEEN 0 AND 1)', 'delivery BETWEEN 0 AND 63)'),
  'delivery BETWEEN 0 AND 2)', 'delivery BETWEEN 0 AND 63)'), 'delivery BETWEEN 0 AND 3)', 'delivery BETWEEN 0 AND 63)'),
  'delivery BETWEEN 0 AND 4)', 'delivery BETWEEN 0 AND 63)'), 'delivery BETWEEN 0 AND 5)', 'delivery BETWEEN 0 AND 63)')
WHERE type = 'table' AND name = 'restores';
UPDATE sqlite_schema SET sql = replace(replace(replace(replace(replace(sql, 'kind BETWEEN 0 AND 7)', 'kind BETWEEN 0 AND 63)'),
  'kind BETWEEN 0 AND 8)', 'kind BETWEEN 0 AND 63)'), 'kind BETWEEN 0 AND 9)', 'kind BETWEEN 0 AND 63)'),
  'kind BETWEEN 0 AND 10)', 'kind BETWEEN 0 AND 63)'), 'kind BETWEEN 0 AND 11)', 'kind BETWEEN 0 AND 63)')
WHERE type = 'table' AND name = 'events';
PRAGMA writable_schema = RESET;

-- The operator's word that all a cluster holds may be thrown away.
CREATE TABLE scratch_targets (
  cluster TEXT PRIMARY KEY REFERENCES clusters (id),
  marked INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE drill_targets (
  cluster TEXT PRIMARY KEY REFERENCES clusters (id),
  target TEXT NOT NULL REFERENCES clusters (id)
) WITHOUT ROWID;

CREATE TABLE drills (
  id TEXT PRIMARY KEY,
  project TEXT NOT NULL REFERENCES projects (id),
  cluster TEXT NOT NULL REFERENCES clusters (id),
  cluster_name TEXT NOT NULL,
  snapshot TEXT NOT NULL,
  target TEXT REFERENCES clusters (id),
  target_name TEXT NOT NULL,
  state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 4),
  stopping INTEGER NOT NULL,
  created INTEGER NOT NULL,
  started INTEGER,
  finished INTEGER,
  restored INTEGER NOT NULL,
  collections INTEGER NOT NULL,
  documents INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  failure TEXT NOT NULL,
  notes TEXT NOT NULL
) WITHOUT ROWID;

CREATE INDEX drills_listed ON drills (cluster, created DESC, id DESC);
CREATE INDEX drills_of_snapshot ON drills (snapshot, created DESC, id DESC);
CREATE UNIQUE INDEX drills_unfinished ON drills (cluster) WHERE state < 2;
CREATE INDEX drills_into ON drills (target) WHERE state < 2 AND target IS NOT NULL;

CREATE TABLE pushes (
  restore TEXT PRIMARY KEY REFERENCES restores (id) ON DELETE CASCADE,
  method TEXT NOT NULL,
  file_name TEXT NOT NULL,
  size INTEGER NOT NULL,
  sha1 TEXT NOT NULL
) WITHOUT ROWID;

-- A failed verification is a failed drill now.
DROP TRIGGER IF EXISTS schedule_verification_failed;
CREATE TRIGGER schedule_verification_failed AFTER UPDATE OF verified, verify_failure ON schedules
WHEN NEW.verify_failure <> '' AND (NEW.verified, NEW.verify_failure) IS NOT (OLD.verified, OLD.verify_failure)
BEGIN
  INSERT INTO events (kind, at, project, cluster, object, reason)
  SELECT 6, NEW.verified, c.project, c.name, coalesce(NEW.verified_snapshot, ''),
    'the newest snapshot could not be read or restored; the drills of the cluster tell why'
  FROM clusters c WHERE c.id = NEW.cluster;
END;

-- For metrics: the newest completed snapshot of each cluster, and what waits, without reading the rest.
CREATE INDEX snapshots_completed ON snapshots (cluster, finished DESC) WHERE deleted IS NULL AND state = 3;
CREATE INDEX notices_waiting ON notices (state) WHERE state = 0;
