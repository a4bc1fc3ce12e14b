-- More roles than the check of the first version knew: the numbers are domain::Role's.
CREATE TABLE wider_grants (
  key TEXT NOT NULL REFERENCES keys (id),
  position INTEGER NOT NULL,
  role INTEGER NOT NULL CHECK (role BETWEEN 0 AND 9),
  organization TEXT,
  project TEXT,
  PRIMARY KEY (key, position)
) WITHOUT ROWID;

INSERT INTO wider_grants (key, position, role, organization, project)
SELECT key, position, role, organization, project FROM grants;
DROP TABLE grants;
ALTER TABLE wider_grants RENAME TO grants;

CREATE UNIQUE INDEX organizations_by_name ON organizations (name);

-- Secrets of service accounts, by their SHA-256 (hex). `ending`: the last characters, so that people can tell two apart;
-- empty where it was not kept. The first secret of an account from before has the account's id.
CREATE TABLE client_secrets (
  id TEXT PRIMARY KEY,
  key TEXT NOT NULL REFERENCES keys (id),
  hash TEXT NOT NULL,
  ending TEXT NOT NULL,
  created INTEGER NOT NULL,
  expires INTEGER
) WITHOUT ROWID;

CREATE INDEX client_secrets_of_key ON client_secrets (key, created, id);

INSERT INTO client_secrets (id, key, hash, ending, created, expires)
SELECT id, id, CAST(sealed_secret AS TEXT), '', created, NULL FROM keys WHERE kind = 1;
UPDATE keys SET sealed_secret = x'' WHERE kind = 1;

-- A token dies with the secret that it was asked for with.
ALTER TABLE tokens ADD COLUMN secret TEXT REFERENCES client_secrets (id);
UPDATE tokens SET secret = key;
CREATE INDEX tokens_by_secret ON tokens (secret);

-- Where a key may be used from, as canonical CIDR blocks. No row: from anywhere.
CREATE TABLE access_list (
  key TEXT NOT NULL REFERENCES keys (id),
  position INTEGER NOT NULL,
  block TEXT NOT NULL,
  PRIMARY KEY (key, position)
) WITHOUT ROWID;
