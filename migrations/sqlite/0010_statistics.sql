-- SQLite guesses that ten rows have the same first column of an index, which is the tenant everywhere, and then rather reads
-- all objects of a tenant than look for some of them in another index. These figures, of a middling site, say better; they
-- are of no database, so that plans are the same everywhere. See https://sqlite.org/lang_analyze.html, section 5.

ANALYZE tenant_key;
DELETE FROM sqlite_stat1 WHERE tbl = 'pbx_object';
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('pbx_object', 'pbx_object', '100000 2000 1'),
  ('pbx_object', 'pbx_object_number', '100000 2000 2'),
  ('pbx_object', 'pbx_object_kind_number', '100000 2000 150 2 1'),
  ('pbx_object', 'pbx_object_kind_name', '100000 2000 150 2 1'),
  ('pbx_object', 'pbx_object_kind_created', '100000 2000 150 2 1'),
  ('pbx_object', 'pbx_object_kind_changed', '100000 2000 150 2 1');
