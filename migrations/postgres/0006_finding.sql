-- What lists are sorted by, what a search finds objects by, and what filters begin with.

-- Sort keys are never NULL: what has no number stands before all numbers. Names are folded by the program, so that
-- both engines agree about capitals and accents; what was there before gets its folded name right after this file.
ALTER TABLE pbx_object ADD COLUMN number_key TEXT NOT NULL GENERATED ALWAYS AS (coalesce(number, '')) STORED;
ALTER TABLE pbx_object ADD COLUMN name_folded TEXT NOT NULL DEFAULT '';
DROP INDEX pbx_object_kind;
CREATE INDEX pbx_object_kind_number ON pbx_object (tenant_id, kind, number_key, object_id);
CREATE INDEX pbx_object_kind_name ON pbx_object (tenant_id, kind, name_folded, object_id);
CREATE INDEX pbx_object_kind_created ON pbx_object (tenant_id, kind, created_at, object_id);
CREATE INDEX pbx_object_kind_changed ON pbx_object (tenant_id, kind, changed_at, object_id);

-- The words of an object, each under the table that it comes from: the object's own row, a section or a detail. They
-- follow from those rows and go with the object.
CREATE TABLE search_word (
  tenant_id BIGINT  NOT NULL,
  object_id BIGINT  NOT NULL,
  word      TEXT    NOT NULL,
  source    TEXT    NOT NULL,
  PRIMARY KEY (tenant_id, object_id, word, source),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id) ON DELETE CASCADE
);
CREATE INDEX search_word_word ON search_word (tenant_id, word, object_id);

CREATE INDEX information_dnd ON information (tenant_id, dnd);
CREATE INDEX security_locked ON security (tenant_id, locked);
CREATE INDEX web_user_panel_user_panel_enabled ON web_user_panel (tenant_id, user_panel_enabled);
