-- A due time that was missed is an event (kind 5, SCHEDULE_MISSED), whichever statement counts it.
CREATE TRIGGER schedule_missed AFTER UPDATE OF missed ON schedules WHEN NEW.missed > OLD.missed
BEGIN
  INSERT INTO events (kind, at, project, cluster, object, reason)
  SELECT 5, coalesce(NEW.last_missed, 0), c.project, c.name, c.id, NEW.missed_reason
  FROM clusters c WHERE c.id = NEW.cluster;
END;
