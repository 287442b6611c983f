-- What operating needs: which key seals the secrets, and imports that are under way.

-- The key's fingerprint: another key file is noticed before it is used.
CREATE TABLE sealing_key (
  key_id     TEXT    NOT NULL PRIMARY KEY,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A tenant that is being imported: how many lines of the file are in, and the SHA-256 of these lines.
CREATE TABLE import (
  tenant_id INTEGER NOT NULL PRIMARY KEY REFERENCES tenant (tenant_id),
  lines     INTEGER NOT NULL,
  digest    TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
