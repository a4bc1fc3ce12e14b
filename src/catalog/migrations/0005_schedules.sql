-- Schedules of clusters: what is asked for, and how far it has got. NULL wake_at: nothing to do until it is changed.
CREATE TABLE schedules (
  cluster TEXT PRIMARY KEY REFERENCES clusters (id),
  enabled INTEGER NOT NULL,
  reference_minute INTEGER NOT NULL,
  keep_last INTEGER NOT NULL CHECK (keep_last > 0),
  point_in_time_hours INTEGER NOT NULL,
  checkpoint_minutes INTEGER NOT NULL,
  next_due INTEGER,
  due INTEGER,
  attempt INTEGER NOT NULL,
  snapshot TEXT,
  settled INTEGER NOT NULL,
  retry_at INTEGER,
  missed INTEGER NOT NULL,
  last_missed INTEGER,
  missed_reason TEXT NOT NULL,
  wake_at INTEGER,
  verify_days INTEGER NOT NULL,
  verified INTEGER,
  verified_snapshot TEXT,
  verified_ms INTEGER NOT NULL,
  verify_failure TEXT NOT NULL,
  revision INTEGER NOT NULL
) WITHOUT ROWID;

CREATE INDEX schedules_awake ON schedules (wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX schedules_verified ON schedules (verified) WHERE verify_days > 0;
CREATE INDEX schedules_unsettled ON schedules (snapshot) WHERE settled = 0;

CREATE TABLE schedule_items (
  cluster TEXT NOT NULL REFERENCES schedules (cluster),
  position INTEGER NOT NULL,
  frequency INTEGER NOT NULL CHECK (frequency BETWEEN 0 AND 4),
  interval INTEGER NOT NULL,
  unit INTEGER NOT NULL CHECK (unit BETWEEN 0 AND 3),
  retention INTEGER NOT NULL CHECK (retention > 0),
  PRIMARY KEY (cluster, position)
) WITHOUT ROWID;

-- `due` and `attempt`: of a schedule's snapshot. `swept`: its manifest has gone too.
ALTER TABLE snapshots ADD COLUMN due INTEGER;
ALTER TABLE snapshots ADD COLUMN attempt INTEGER NOT NULL DEFAULT 0;
ALTER TABLE snapshots ADD COLUMN do_not_delete INTEGER NOT NULL DEFAULT 0;
ALTER TABLE snapshots ADD COLUMN swept INTEGER;
UPDATE snapshots SET swept = deleted;

-- However many nodes look at a schedule, each attempt at a due time is made once.
CREATE UNIQUE INDEX snapshots_due ON snapshots (cluster, due, attempt) WHERE due IS NOT NULL;
CREATE INDEX snapshots_expiring ON snapshots (expires) WHERE deleted IS NULL AND state >= 3 AND do_not_delete = 0;
CREATE INDEX snapshots_failed ON snapshots (finished) WHERE deleted IS NULL AND state = 4 AND do_not_delete = 0;
CREATE INDEX snapshots_unswept ON snapshots (deleted) WHERE deleted IS NOT NULL AND swept IS NULL;
CREATE INDEX snapshots_swept ON snapshots (swept) WHERE swept IS NOT NULL;
CREATE INDEX restores_of_snapshot ON restores (snapshot);

-- Projects with garbage, and when it was last collected without being asked.
CREATE TABLE upkeep (
  project TEXT PRIMARY KEY REFERENCES projects (id),
  garbage INTEGER NOT NULL,
  collected INTEGER
) WITHOUT ROWID;
