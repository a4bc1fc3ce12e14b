-- What schedules make people's business, whichever statement writes it: kinds 5, SCHEDULE_MISSED, and 6,
-- VERIFICATION_FAILED. What a verification found may name documents; it stays with the schedule.
CREATE TRIGGER schedule_missed AFTER UPDATE OF missed ON schedules WHEN NEW.missed > OLD.missed
BEGIN
  INSERT INTO events (kind, at, project, cluster, object, reason)
  SELECT 5, coalesce(NEW.last_missed, 0), c.project, c.name, c.id, NEW.missed_reason
  FROM clusters c WHERE c.id = NEW.cluster;
END;

CREATE TRIGGER schedule_verification_failed AFTER UPDATE OF verified, verify_failure ON schedules
WHEN NEW.verify_failure <> '' AND (NEW.verified, NEW.verify_failure) IS NOT (OLD.verified, OLD.verify_failure)
BEGIN
  INSERT INTO events (kind, at, project, cluster, object, reason)
  SELECT 6, NEW.verified, c.project, c.name, coalesce(NEW.verified_snapshot, ''),
    'the newest snapshot cannot be read; the schedule of the cluster tells why'
  FROM clusters c WHERE c.id = NEW.cluster;
END;
