-- Policies and their items get ids that they keep, snapshots say which items they were taken for. `frequency` of an
-- extra retention: 5 is on demand. `by_hand`: a person has decided how long the snapshot is kept.
ALTER TABLE schedules ADD COLUMN policy TEXT;
ALTER TABLE schedules ADD COLUMN names_in_export_prefix INTEGER NOT NULL DEFAULT 0;
UPDATE schedules SET policy = lower(hex(randomblob(12)));

ALTER TABLE schedule_items ADD COLUMN id TEXT;
UPDATE schedule_items SET id = lower(hex(randomblob(12)));

CREATE TABLE schedule_extra (
  cluster TEXT NOT NULL REFERENCES schedules (cluster),
  position INTEGER NOT NULL,
  frequency INTEGER NOT NULL CHECK (frequency BETWEEN 0 AND 5),
  days INTEGER NOT NULL CHECK (days >= 0),
  PRIMARY KEY (cluster, position)
) WITHOUT ROWID;

ALTER TABLE snapshots ADD COLUMN frequency INTEGER;
ALTER TABLE snapshots ADD COLUMN policy_items TEXT NOT NULL DEFAULT '';
ALTER TABLE snapshots ADD COLUMN by_hand INTEGER NOT NULL DEFAULT 0;
CREATE INDEX snapshots_following ON snapshots (cluster, id)
  WHERE deleted IS NULL AND policy_items <> '' AND by_hand = 0;

-- What nobody may shorten: backup compliance policies. A policy is replaced as a whole, by one that promises no less
-- (service/compliance_service.h); here is what holds whoever writes. `floor`: microseconds that a snapshot of the
-- frequency is kept at least, never less than the calendar's; 5 is on demand.
CREATE TABLE compliance_policies (
  project TEXT PRIMARY KEY REFERENCES projects (id),
  email TEXT NOT NULL,
  first_name TEXT NOT NULL,
  last_name TEXT NOT NULL,
  window_days INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  updated_by TEXT NOT NULL,
  revision INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE compliance_items (
  project TEXT NOT NULL REFERENCES compliance_policies (project),
  frequency INTEGER NOT NULL CHECK (frequency BETWEEN 0 AND 5),
  interval INTEGER NOT NULL,
  unit INTEGER NOT NULL CHECK (unit BETWEEN 0 AND 3),
  retention INTEGER NOT NULL CHECK (retention > 0),
  id TEXT NOT NULL,
  floor INTEGER NOT NULL CHECK (floor > 0),
  PRIMARY KEY (project, id)
) WITHOUT ROWID;

CREATE TRIGGER compliance_policy_stays BEFORE DELETE ON compliance_policies
BEGIN
  SELECT RAISE(ABORT, 'protected: a backup compliance policy is not deleted');
END;

CREATE TRIGGER compliance_item_stays BEFORE DELETE ON compliance_items
BEGIN
  SELECT RAISE(ABORT, 'protected: an item of a backup compliance policy is not deleted');
END;

CREATE TRIGGER compliance_item_grows BEFORE UPDATE ON compliance_items
WHEN NEW.project <> OLD.project OR NEW.id <> OLD.id OR NEW.frequency <> OLD.frequency OR NEW.floor < OLD.floor
  OR (NEW.frequency = 0 AND NEW.interval > OLD.interval)
BEGIN
  SELECT RAISE(ABORT, 'protected: an item of a backup compliance policy is not weakened');
END;

CREATE TRIGGER project_of_compliance_policy BEFORE UPDATE OF deleted ON projects
WHEN NEW.deleted IS NOT NULL AND EXISTS (SELECT 1 FROM compliance_policies WHERE project = OLD.id)
BEGIN
  SELECT RAISE(ABORT, 'protected: the project has a backup compliance policy');
END;

-- Whoever queues a snapshot, it is kept as long as the policy says.
CREATE TRIGGER snapshot_of_compliance_policy AFTER INSERT ON snapshots
WHEN EXISTS (SELECT 1 FROM compliance_policies WHERE project = NEW.project)
BEGIN
  UPDATE snapshots SET expires = max(expires, scheduled + coalesce((SELECT max(floor) FROM compliance_items
    WHERE project = NEW.project AND frequency = coalesce(NEW.frequency, 5)), 0)) WHERE id = NEW.id;
END;

CREATE TRIGGER snapshot_kept_no_shorter BEFORE UPDATE OF expires ON snapshots
WHEN NEW.expires < OLD.expires AND EXISTS (SELECT 1 FROM compliance_policies WHERE project = OLD.project)
BEGIN
  SELECT RAISE(ABORT, 'protected: the backup compliance policy lets nobody shorten the retention of a snapshot');
END;

CREATE TRIGGER snapshot_not_deleted_early BEFORE UPDATE OF deleted ON snapshots
WHEN NEW.deleted IS NOT NULL AND OLD.deleted IS NULL AND OLD.state = 3
  AND (OLD.do_not_delete <> 0 OR NEW.deleted < OLD.expires)
  AND EXISTS (SELECT 1 FROM compliance_policies WHERE project = OLD.project)
BEGIN
  SELECT RAISE(ABORT, 'protected: the backup compliance policy lets nobody delete a snapshot before it expires');
END;
