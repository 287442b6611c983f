-- Tenants, the one table of things, the lists that all of them share, history and tokens.
-- The tenant stands first in every key. Times are epoch milliseconds. Booleans are 0 or 1.

CREATE TABLE tenant (
  tenant_id       INTEGER NOT NULL PRIMARY KEY,
  code            TEXT    NOT NULL UNIQUE,
  name            TEXT    NOT NULL,
  timezone        TEXT    NOT NULL,
  transcription   INTEGER NOT NULL CHECK (transcription IN (0, 1)),
  ai              INTEGER NOT NULL CHECK (ai IN (0, 1)),
  area_code       TEXT    NOT NULL,
  area_code_min_digits INTEGER NOT NULL,
  area_code_max_digits INTEGER NOT NULL,
  area_code_regex TEXT,
  next_object     INTEGER NOT NULL,
  defaults_id     INTEGER,
  revision        INTEGER NOT NULL,
  created_at      INTEGER NOT NULL
) STRICT;

CREATE TABLE pbx_object (
  tenant_id   INTEGER NOT NULL REFERENCES tenant (tenant_id),
  object_id   INTEGER NOT NULL,
  kind        TEXT    NOT NULL,
  number      TEXT,
  name        TEXT    NOT NULL,
  description TEXT    NOT NULL,
  enabled     INTEGER NOT NULL CHECK (enabled IN (0, 1)),
  version     INTEGER NOT NULL,
  created_at  INTEGER NOT NULL,
  changed_at  INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, object_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX pbx_object_number ON pbx_object (tenant_id, number);
-- A page of one kind by number: keyset paging reads this index from the last number on.
CREATE INDEX pbx_object_kind ON pbx_object (tenant_id, kind, number);

-- Ordered lists of references, one per field (slot) of an owner.
CREATE TABLE link (
  tenant_id INTEGER NOT NULL,
  owner_id  INTEGER NOT NULL,
  slot      TEXT    NOT NULL,
  position  INTEGER NOT NULL,
  target_id INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, owner_id, slot, position),
  FOREIGN KEY (tenant_id, owner_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, target_id) REFERENCES pbx_object (tenant_id, object_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX link_target ON link (tenant_id, target_id);

-- Ordered destinations, one list per field (slot) of an owner: an object, a number or a hang-up.
CREATE TABLE destination (
  tenant_id INTEGER NOT NULL,
  owner_id  INTEGER NOT NULL,
  slot      TEXT    NOT NULL,
  position  INTEGER NOT NULL,
  target_id INTEGER,
  number    TEXT,
  hangup    TEXT,
  PRIMARY KEY (tenant_id, owner_id, slot, position),
  FOREIGN KEY (tenant_id, owner_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, target_id) REFERENCES pbx_object (tenant_id, object_id),
  CHECK ((target_id IS NOT NULL) + (number IS NOT NULL) + (hangup IS NOT NULL) = 1)
) STRICT, WITHOUT ROWID;
CREATE INDEX destination_target ON destination (tenant_id, target_id);

-- Who changed what: a record per save, a row per field. Secrets show only whether they were set.
CREATE TABLE change (
  tenant_id  INTEGER NOT NULL REFERENCES tenant (tenant_id),
  object_id  INTEGER NOT NULL,
  version    INTEGER NOT NULL,
  revision   INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  actor      TEXT    NOT NULL,
  PRIMARY KEY (tenant_id, object_id, version)
) STRICT, WITHOUT ROWID;
CREATE INDEX change_revision ON change (tenant_id, revision);

CREATE TABLE change_field (
  tenant_id    INTEGER NOT NULL,
  object_id    INTEGER NOT NULL,
  version      INTEGER NOT NULL,
  path         TEXT    NOT NULL,
  before_value TEXT    NOT NULL,
  after_value  TEXT    NOT NULL,
  PRIMARY KEY (tenant_id, object_id, version, path),
  FOREIGN KEY (tenant_id, object_id, version) REFERENCES change (tenant_id, object_id, version)
) STRICT, WITHOUT ROWID;

-- Bearer tokens: only the SHA-256 of the token is kept. A token belongs to no tenant, or to several.
CREATE TABLE token (
  token_id    INTEGER NOT NULL PRIMARY KEY,
  hash        BLOB    NOT NULL UNIQUE,
  name        TEXT    NOT NULL UNIQUE,
  scopes      TEXT    NOT NULL,
  all_tenants INTEGER NOT NULL CHECK (all_tenants IN (0, 1)),
  -- The tenant that is selected when a request names none.
  selected_id INTEGER REFERENCES tenant (tenant_id),
  created_at  INTEGER NOT NULL,
  revoked_at  INTEGER
) STRICT;

CREATE TABLE token_tenant (
  tenant_id INTEGER NOT NULL REFERENCES tenant (tenant_id),
  token_id  INTEGER NOT NULL REFERENCES token (token_id),
  PRIMARY KEY (tenant_id, token_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX token_tenant_token ON token_tenant (token_id);
