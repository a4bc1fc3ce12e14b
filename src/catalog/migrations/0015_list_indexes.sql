-- Lists of catalogs with millions of rows. An index answers a count or skips to a page alone only when it holds every
-- column that is asked for, `deleted` and `removed` too.
DROP INDEX snapshots_listed;
CREATE INDEX snapshots_listed ON snapshots (cluster, scheduled DESC, id DESC, state, deleted) WHERE deleted IS NULL;
CREATE INDEX clusters_listed ON clusters (project, name, removed) WHERE removed IS NULL;

-- How many rows the audit log has for a project ('' stands for all), and the number of each 1000th of them, so that no
-- page of it has to be counted anew: the log only grows at its end.
CREATE TABLE audit_counts (
  scope TEXT PRIMARY KEY,
  ended INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE audit_marks (
  scope TEXT NOT NULL,
  ordinal INTEGER NOT NULL,
  number INTEGER NOT NULL,
  PRIMARY KEY (scope, ordinal)
) WITHOUT ROWID;

INSERT INTO audit_counts (scope, ended)
SELECT '', count(*) FROM audit WHERE phase = 1
UNION ALL
SELECT project, count(*) FROM audit WHERE phase = 1 AND project IS NOT NULL GROUP BY project;

INSERT INTO audit_marks (scope, ordinal, number)
SELECT '', ordinal, number FROM
  (SELECT number, row_number() OVER (ORDER BY number) AS ordinal FROM audit WHERE phase = 1)
WHERE ordinal % 1000 = 0
UNION ALL
SELECT project, ordinal, number FROM
  (SELECT project, number, row_number() OVER (PARTITION BY project ORDER BY number) AS ordinal
   FROM audit WHERE phase = 1 AND project IS NOT NULL)
WHERE ordinal % 1000 = 0;

CREATE TRIGGER audit_counted AFTER INSERT ON audit WHEN NEW.phase = 1
BEGIN
  INSERT INTO audit_counts (scope, ended) VALUES ('', 1) ON CONFLICT (scope) DO UPDATE SET ended = ended + 1;
  INSERT INTO audit_marks (scope, ordinal, number)
  SELECT '', ended, NEW.number FROM audit_counts WHERE scope = '' AND ended % 1000 = 0;
END;

CREATE TRIGGER audit_of_project_counted AFTER INSERT ON audit WHEN NEW.phase = 1 AND NEW.project IS NOT NULL
BEGIN
  INSERT INTO audit_counts (scope, ended) VALUES (NEW.project, 1) ON CONFLICT (scope) DO UPDATE SET ended = ended + 1;
  INSERT INTO audit_marks (scope, ordinal, number)
  SELECT NEW.project, ended, NEW.number FROM audit_counts WHERE scope = NEW.project AND ended % 1000 = 0;
END;

-- Registered clusters without a schedule, so that the scheduler need not look at all clusters to find them.
CREATE TABLE clusters_unscheduled (
  cluster TEXT PRIMARY KEY REFERENCES clusters (id) ON DELETE CASCADE
) WITHOUT ROWID;

INSERT INTO clusters_unscheduled (cluster)
SELECT id FROM clusters WHERE removed IS NULL
AND NOT EXISTS (SELECT 1 FROM schedules s WHERE s.cluster = clusters.id);

CREATE TRIGGER cluster_wants_schedule AFTER INSERT ON clusters WHEN NEW.removed IS NULL
BEGIN
  INSERT INTO clusters_unscheduled (cluster) VALUES (NEW.id) ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER cluster_removed_unscheduled AFTER UPDATE OF removed ON clusters WHEN NEW.removed IS NOT NULL
BEGIN
  DELETE FROM clusters_unscheduled WHERE cluster = NEW.id;
END;

CREATE TRIGGER cluster_scheduled AFTER INSERT ON schedules
BEGIN
  DELETE FROM clusters_unscheduled WHERE cluster = NEW.cluster;
END;

CREATE TRIGGER cluster_schedule_deleted AFTER DELETE ON schedules
BEGIN
  INSERT INTO clusters_unscheduled (cluster)
  SELECT id FROM clusters WHERE id = OLD.cluster AND removed IS NULL ON CONFLICT DO NOTHING;
END;
