-- What the server did by itself, and what people are told of. Written by the triggers below in the transaction that
-- makes it true; settled (audit row, notices) and deleted in order. Kinds: domain::EventKind.
CREATE TABLE events (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  kind INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 7),
  at INTEGER NOT NULL,
  project TEXT NOT NULL,
  cluster TEXT NOT NULL,
  object TEXT NOT NULL,
  reason TEXT NOT NULL
);

CREATE TRIGGER snapshot_ended AFTER UPDATE OF state ON snapshots WHEN NEW.state >= 3 AND OLD.state < 3
BEGIN
  INSERT INTO events (kind, at, project, cluster, object, reason)
  VALUES (NEW.state - 3, coalesce(NEW.finished, NEW.scheduled), NEW.project, NEW.cluster_name, NEW.id, NEW.failure);
END;

CREATE TRIGGER restore_ended AFTER UPDATE OF state ON restores WHEN NEW.state >= 3 AND OLD.state < 3
BEGIN
  INSERT INTO events (kind, at, project, cluster, object, reason)
  VALUES (NEW.state - 1, coalesce(NEW.finished, NEW.created), NEW.project, NEW.cluster_name, NEW.id, NEW.failure);
END;

CREATE TRIGGER snapshot_deleted AFTER UPDATE OF deleted ON snapshots
WHEN NEW.deleted IS NOT NULL AND OLD.deleted IS NULL
BEGIN
  INSERT INTO events (kind, at, project, cluster, object, reason)
  VALUES (4, NEW.deleted, NEW.project, NEW.cluster_name, NEW.id, '');
END;

-- Who did what. `hash` chains each row to the one before (docs/audit.md); what the triggers refuse can only be done
-- around them, and then the chain tells.
CREATE TABLE audit (
  number INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  phase INTEGER NOT NULL CHECK (phase BETWEEN 0 AND 1),
  begun INTEGER,
  request TEXT NOT NULL,
  actor TEXT NOT NULL,
  address TEXT NOT NULL,
  operation TEXT NOT NULL,
  project TEXT,
  cluster TEXT NOT NULL,
  object TEXT NOT NULL,
  status INTEGER NOT NULL,
  error_code TEXT NOT NULL,
  skipped INTEGER NOT NULL,
  hash TEXT NOT NULL
);

CREATE INDEX audit_ended ON audit (number) WHERE phase = 1;
CREATE INDEX audit_ended_of_project ON audit (project, number) WHERE phase = 1;
CREATE INDEX audit_begun ON audit (number) WHERE phase = 0;
CREATE INDEX audit_outcomes ON audit (begun) WHERE begun IS NOT NULL;
CREATE INDEX audit_starts ON audit (number) WHERE operation = 'serverStarted';

CREATE TRIGGER audit_only_grows BEFORE INSERT ON audit
WHEN NEW.number IS NOT (SELECT coalesce(max(number), 0) + 1 FROM audit)
BEGIN
  SELECT RAISE(ABORT, 'the audit log only grows at its end');
END;

CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN
  SELECT RAISE(ABORT, 'the audit log is not changed');
END;

CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
BEGIN
  SELECT RAISE(ABORT, 'the audit log is not deleted');
END;

-- Where notices of a project go. Address and secret are sealed. `events`: bit k for kind k.
CREATE TABLE channels (
  id TEXT PRIMARY KEY,
  project TEXT NOT NULL REFERENCES projects (id),
  kind INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 1),
  shown_address TEXT NOT NULL,
  sealed_url BLOB NOT NULL,
  sealed_secret BLOB NOT NULL,
  username TEXT NOT NULL,
  sender TEXT NOT NULL,
  recipients TEXT NOT NULL,
  events INTEGER NOT NULL,
  created INTEGER NOT NULL,
  failures INTEGER NOT NULL,
  next_try INTEGER NOT NULL,
  last_error TEXT NOT NULL,
  last_delivered INTEGER
) WITHOUT ROWID;

CREATE INDEX channels_of_project ON channels (project, created, id);

-- One event on its way to one channel. States: domain::NoticeState.
CREATE TABLE notices (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  channel TEXT NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
  event INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  at INTEGER NOT NULL,
  project TEXT NOT NULL,
  cluster TEXT NOT NULL,
  object TEXT NOT NULL,
  reason TEXT NOT NULL,
  state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 2),
  attempts INTEGER NOT NULL,
  UNIQUE (channel, event)
);

CREATE INDEX notices_by_state ON notices (channel, state, number);

CREATE TRIGGER channels_of_deleted_project BEFORE INSERT ON channels
WHEN (SELECT deleted FROM projects WHERE id = NEW.project) IS NOT NULL
BEGIN
  SELECT RAISE(ABORT, 'the project has been deleted');
END;

-- Nobody could see or remove them any more.
CREATE TRIGGER project_deleted_with_channels AFTER UPDATE OF deleted ON projects WHEN NEW.deleted IS NOT NULL
BEGIN
  DELETE FROM channels WHERE project = NEW.id;
END;
