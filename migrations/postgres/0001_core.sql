-- Tenants, the one table of things, the lists that all of them share, history and tokens.
-- The tenant stands first in every key. Times are epoch milliseconds.

CREATE TABLE tenant (
  tenant_id       BIGINT  NOT NULL PRIMARY KEY,
  code            TEXT    NOT NULL CONSTRAINT tenant_code UNIQUE,
  name            TEXT    NOT NULL,
  timezone        TEXT    NOT NULL,
  transcription   BOOLEAN NOT NULL,
  ai              BOOLEAN NOT NULL,
  area_code       TEXT    NOT NULL,
  area_code_min_digits BIGINT NOT NULL,
  area_code_max_digits BIGINT NOT NULL,
  area_code_regex TEXT,
  next_object     BIGINT  NOT NULL,
  defaults_id     BIGINT,
  revision        BIGINT  NOT NULL,
  created_at      BIGINT  NOT NULL
);

CREATE TABLE pbx_object (
  tenant_id   BIGINT  NOT NULL REFERENCES tenant (tenant_id),
  object_id   BIGINT  NOT NULL,
  kind        TEXT    NOT NULL,
  number      TEXT,
  name        TEXT    NOT NULL,
  description TEXT    NOT NULL,
  enabled     BOOLEAN NOT NULL,
  version     BIGINT  NOT NULL,
  created_at  BIGINT  NOT NULL,
  changed_at  BIGINT  NOT NULL,
  PRIMARY KEY (tenant_id, object_id)
);
CREATE UNIQUE INDEX pbx_object_number ON pbx_object (tenant_id, number);
-- A page of one kind by number: keyset paging reads this index from the last number on.
CREATE INDEX pbx_object_kind ON pbx_object (tenant_id, kind, number);

-- Ordered lists of references, one per field (slot) of an owner.
CREATE TABLE link (
  tenant_id BIGINT  NOT NULL,
  owner_id  BIGINT  NOT NULL,
  slot      TEXT    NOT NULL,
  position  BIGINT  NOT NULL,
  target_id BIGINT  NOT NULL,
  PRIMARY KEY (tenant_id, owner_id, slot, position),
  FOREIGN KEY (tenant_id, owner_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, target_id) REFERENCES pbx_object (tenant_id, object_id)
);
CREATE INDEX link_target ON link (tenant_id, target_id);

-- Ordered destinations, one list per field (slot) of an owner: an object, a number or a hang-up.
CREATE TABLE destination (
  tenant_id BIGINT  NOT NULL,
  owner_id  BIGINT  NOT NULL,
  slot      TEXT    NOT NULL,
  position  BIGINT  NOT NULL,
  target_id BIGINT,
  number    TEXT,
  hangup    TEXT,
  PRIMARY KEY (tenant_id, owner_id, slot, position),
  FOREIGN KEY (tenant_id, owner_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, target_id) REFERENCES pbx_object (tenant_id, object_id),
  CHECK (num_nonnulls(target_id, number, hangup) = 1)
);
CREATE INDEX destination_target ON destination (tenant_id, target_id);

-- Who changed what: a record per save, a row per field. Secrets show only whether they were set.
CREATE TABLE change (
  tenant_id  BIGINT  NOT NULL REFERENCES tenant (tenant_id),
  object_id  BIGINT  NOT NULL,
  version    BIGINT  NOT NULL,
  revision   BIGINT  NOT NULL,
  changed_at BIGINT  NOT NULL,
  actor      TEXT    NOT NULL,
  PRIMARY KEY (tenant_id, object_id, version)
);
CREATE INDEX change_revision ON change (tenant_id, revision);

CREATE TABLE change_field (
  tenant_id    BIGINT  NOT NULL,
  object_id    BIGINT  NOT NULL,
  version      BIGINT  NOT NULL,
  path         TEXT    NOT NULL,
  before_value TEXT    NOT NULL,
  after_value  TEXT    NOT NULL,
  PRIMARY KEY (tenant_id, object_id, version, path),
  FOREIGN KEY (tenant_id, object_id, version) REFERENCES change (tenant_id, object_id, version)
);

-- Bearer tokens: only the SHA-256 of the token is kept. A token belongs to no tenant, or to several.
CREATE TABLE token (
  token_id    BIGINT  NOT NULL PRIMARY KEY,
  hash        BYTEA   NOT NULL CONSTRAINT token_hash UNIQUE,
  name        TEXT    NOT NULL CONSTRAINT token_name UNIQUE,
  scopes      TEXT    NOT NULL,
  all_tenants BOOLEAN NOT NULL,
  -- The tenant that is selected when a request names none.
  selected_id BIGINT  REFERENCES tenant (tenant_id),
  created_at  BIGINT  NOT NULL,
  revoked_at  BIGINT
);

CREATE TABLE token_tenant (
  tenant_id BIGINT  NOT NULL REFERENCES tenant (tenant_id),
  token_id  BIGINT  NOT NULL REFERENCES token (token_id),
  PRIMARY KEY (tenant_id, token_id)
);
CREATE INDEX token_tenant_token ON token_tenant (token_id);
