-- A deleted project keeps its row, for what refers to it. `shredded` is set when its stored snapshots have
-- gone too. Its name is free again: the row's own gets the id behind it.

ALTER TABLE projects ADD COLUMN deleted INTEGER;
ALTER TABLE projects ADD COLUMN shredded INTEGER;

-- Whoever found the project a moment before it was deleted adds nothing to it.
CREATE TRIGGER clusters_of_deleted_project BEFORE INSERT ON clusters
WHEN (SELECT deleted FROM projects WHERE id = NEW.project) IS NOT NULL
BEGIN
  SELECT RAISE(ABORT, 'the project has been deleted');
END;

CREATE TRIGGER snapshots_of_deleted_project BEFORE INSERT ON snapshots
WHEN (SELECT deleted FROM projects WHERE id = NEW.project) IS NOT NULL
BEGIN
  SELECT RAISE(ABORT, 'the project has been deleted');
END;

CREATE TRIGGER restores_of_deleted_project BEFORE INSERT ON restores
WHEN EXISTS (SELECT 1 FROM projects WHERE id IN (NEW.project, NEW.target_project) AND deleted IS NOT NULL)
BEGIN
  SELECT RAISE(ABORT, 'the project has been deleted');
END;
