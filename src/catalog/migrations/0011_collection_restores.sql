-- Restores that were asked for by collection: their own family shows them, no other list does.
ALTER TABLE restores ADD COLUMN by_collection INTEGER NOT NULL DEFAULT 0;

CREATE INDEX restores_shown ON restores (cluster, created DESC, id DESC) WHERE by_collection = 0;
CREATE INDEX restores_by_collection ON restores (cluster, created DESC, id DESC) WHERE by_collection = 1;
DROP INDEX restores_listed;

-- What was asked for. Strategies: domain::WriteStrategy, domain::IndexStrategy. NULL: no suffix was given.
CREATE TABLE collection_restores (
  restore TEXT PRIMARY KEY REFERENCES restores (id),
  write_strategy INTEGER NOT NULL CHECK (write_strategy BETWEEN 0 AND 1),
  index_strategy INTEGER NOT NULL CHECK (index_strategy BETWEEN 0 AND 2),
  database_suffix TEXT,
  collection_suffix TEXT
) WITHOUT ROWID;

-- `whole`: 1 a database, 0 a collection. `target`: empty for the same name.
CREATE TABLE collection_restore_choices (
  restore TEXT NOT NULL REFERENCES collection_restores (restore),
  whole INTEGER NOT NULL CHECK (whole BETWEEN 0 AND 1),
  position INTEGER NOT NULL,
  source TEXT NOT NULL,
  target TEXT NOT NULL,
  PRIMARY KEY (restore, whole, position)
) WITHOUT ROWID;

-- What that came to once the job had looked at its target, and how far it is. States: domain::NamespaceState,
-- domain::IndexBuildState.
CREATE TABLE restored_namespaces (
  restore TEXT NOT NULL REFERENCES collection_restores (restore),
  position INTEGER NOT NULL,
  source TEXT NOT NULL,
  target TEXT NOT NULL,
  effective TEXT NOT NULL,
  state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 9),
  index_state INTEGER NOT NULL CHECK (index_state BETWEEN 0 AND 4),
  index_failure TEXT NOT NULL,
  documents_total INTEGER NOT NULL,
  documents_restored INTEGER NOT NULL,
  PRIMARY KEY (restore, position)
) WITHOUT ROWID;

CREATE UNIQUE INDEX restored_namespaces_by_source ON restored_namespaces (restore, source);
