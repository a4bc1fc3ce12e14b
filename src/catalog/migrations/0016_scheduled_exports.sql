-- What a schedule exports by itself. `auto_export`: it does; bucket and frequency are both there or both not, and stay
-- while it does not.
ALTER TABLE schedules ADD COLUMN auto_export INTEGER NOT NULL DEFAULT 0 CHECK (auto_export BETWEEN 0 AND 1);
ALTER TABLE schedules ADD COLUMN export_bucket TEXT;
ALTER TABLE schedules ADD COLUMN export_frequency INTEGER CHECK (export_frequency BETWEEN 1 AND 4);
CREATE INDEX schedules_of_bucket ON schedules (export_bucket) WHERE export_bucket IS NOT NULL;

-- Completed snapshots whose export has not been queued yet. A row comes in the transaction that completes the snapshot
-- and goes in the one that queues its export: none is forgotten, none is made twice.
CREATE TABLE exports_due (
  snapshot TEXT PRIMARY KEY REFERENCES snapshots (id) ON DELETE CASCADE,
  bucket TEXT NOT NULL
) WITHOUT ROWID;

CREATE INDEX exports_due_into ON exports_due (bucket);

-- A snapshot stands for each item that it was taken for; an item may have been replaced since.
CREATE TRIGGER scheduled_snapshot_wants_export AFTER UPDATE OF state ON snapshots
WHEN NEW.state = 3 AND OLD.state < 3 AND NEW.due IS NOT NULL AND NEW.deleted IS NULL
BEGIN
  INSERT INTO exports_due (snapshot, bucket)
  SELECT NEW.id, s.export_bucket FROM schedules s
  WHERE s.cluster = NEW.cluster AND s.auto_export = 1 AND s.export_bucket IS NOT NULL
  AND (NEW.frequency = s.export_frequency OR EXISTS (SELECT 1 FROM schedule_items i
    WHERE i.cluster = s.cluster AND i.frequency = s.export_frequency AND instr(NEW.policy_items, i.id) > 0))
  ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER deleted_snapshot_wants_no_export AFTER UPDATE OF deleted ON snapshots WHEN NEW.deleted IS NOT NULL
BEGIN
  DELETE FROM exports_due WHERE snapshot = NEW.id;
END;

-- A schedule that has stopped exporting forgets a bucket that is gone. The revision: who has read it does not write the
-- bucket back.
CREATE TRIGGER bucket_of_schedules_gone AFTER DELETE ON export_buckets
BEGIN
  UPDATE schedules SET auto_export = 0, export_bucket = NULL, export_frequency = NULL, revision = revision + 1
  WHERE export_bucket = OLD.id;
END;

-- Who cancels an export knows that it did not succeed: no event.
DROP TRIGGER export_ended;
CREATE TRIGGER export_ended AFTER UPDATE OF state ON exports WHEN NEW.state IN (3, 4) AND OLD.state < 3
BEGIN
  INSERT INTO events (kind, at, project, cluster, object, reason)
  VALUES (CASE NEW.state WHEN 3 THEN 8 ELSE 9 END, coalesce(NEW.finished, NEW.created), NEW.project, NEW.cluster_name,
    NEW.id, NEW.failure);
END;
