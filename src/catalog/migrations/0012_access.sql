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
