-- What each kind of object adds to pbx_object, a table each: the columns are the fields of src/objects/<kind>.rs, in the same
-- order. Lists stand in link and destination; entries that belong to their owner alone stand in a table of their own.

CREATE TABLE extension (
  tenant_id INTEGER NOT NULL,
  object_id INTEGER NOT NULL,
  technology TEXT NOT NULL,
  peer_name TEXT NOT NULL,
  dial_string TEXT,
  dnd INTEGER NOT NULL CHECK (dnd IN (0, 1)),
  external_caller_id_number TEXT,
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE call_group (
  tenant_id INTEGER NOT NULL,
  object_id INTEGER NOT NULL,
  group_number INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX call_group_group_number ON call_group (tenant_id, group_number);

CREATE TABLE pickup_group (
  tenant_id INTEGER NOT NULL,
  object_id INTEGER NOT NULL,
  group_number INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX pickup_group_group_number ON pickup_group (tenant_id, group_number);

CREATE TABLE spy_group (
  tenant_id INTEGER NOT NULL,
  object_id INTEGER NOT NULL,
  engine_name TEXT NOT NULL,
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX spy_group_engine_name ON spy_group (tenant_id, engine_name);

CREATE TABLE voicemail_box (
  tenant_id INTEGER NOT NULL,
  object_id INTEGER NOT NULL,
  mailbox TEXT NOT NULL,
  full_name TEXT NOT NULL,
  pin TEXT,
  email TEXT NOT NULL,
  attach_recording INTEGER NOT NULL CHECK (attach_recording IN (0, 1)),
  delete_after_mail INTEGER NOT NULL CHECK (delete_after_mail IN (0, 1)),
  say_caller_id INTEGER NOT NULL CHECK (say_caller_id IN (0, 1)),
  review INTEGER NOT NULL CHECK (review IN (0, 1)),
  envelope INTEGER NOT NULL CHECK (envelope IN (0, 1)),
  max_messages INTEGER NOT NULL,
  min_seconds INTEGER NOT NULL,
  max_seconds INTEGER NOT NULL,
  timezone TEXT,
  prompt_language TEXT NOT NULL,
  transcript INTEGER NOT NULL CHECK (transcript IN (0, 1)),
  auto_delete_days INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE music_on_hold (
  tenant_id INTEGER NOT NULL,
  object_id INTEGER NOT NULL,
  play_mode TEXT NOT NULL,
  volume INTEGER NOT NULL,
  random_order INTEGER NOT NULL CHECK (random_order IN (0, 1)),
  is_default INTEGER NOT NULL CHECK (is_default IN (0, 1)),
  stream_url TEXT,
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE phone_book (
  tenant_id INTEGER NOT NULL,
  object_id INTEGER NOT NULL,
  include_extensions INTEGER NOT NULL CHECK (include_extensions IN (0, 1)),
  include_short_numbers INTEGER NOT NULL CHECK (include_short_numbers IN (0, 1)),
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE phone_book_entry (
  tenant_id INTEGER NOT NULL,
  owner_id INTEGER NOT NULL,
  position INTEGER NOT NULL,
  name TEXT NOT NULL,
  phone1 TEXT,
  phone2 TEXT,
  email TEXT,
  PRIMARY KEY (tenant_id, owner_id, position),
  FOREIGN KEY (tenant_id, owner_id) REFERENCES pbx_object (tenant_id, object_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE parking_lot (
  tenant_id INTEGER NOT NULL,
  object_id INTEGER NOT NULL,
  first_slot TEXT NOT NULL,
  last_slot TEXT NOT NULL,
  timeout_seconds INTEGER NOT NULL,
  music_on_hold_id INTEGER,
  is_default INTEGER NOT NULL CHECK (is_default IN (0, 1)),
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, music_on_hold_id) REFERENCES pbx_object (tenant_id, object_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX parking_lot_music_on_hold_id ON parking_lot (tenant_id, music_on_hold_id);

CREATE TABLE media_file (
  tenant_id INTEGER NOT NULL,
  object_id INTEGER NOT NULL,
  audio_format TEXT NOT NULL,
  length_seconds INTEGER NOT NULL,
  spoken_language TEXT NOT NULL,
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE condition (
  tenant_id INTEGER NOT NULL,
  object_id INTEGER NOT NULL,
  condition_type TEXT NOT NULL,
  timezone TEXT,
  extension_state TEXT NOT NULL,
  combine TEXT NOT NULL,
  caller_id_pattern TEXT,
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE condition_span (
  tenant_id INTEGER NOT NULL,
  owner_id INTEGER NOT NULL,
  position INTEGER NOT NULL,
  weekday TEXT,
  from_time INTEGER,
  to_time INTEGER,
  starts_at INTEGER,
  ends_at INTEGER,
  PRIMARY KEY (tenant_id, owner_id, position),
  FOREIGN KEY (tenant_id, owner_id) REFERENCES pbx_object (tenant_id, object_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE call_list (
  tenant_id INTEGER NOT NULL,
  object_id INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE call_list_entry (
  tenant_id INTEGER NOT NULL,
  owner_id INTEGER NOT NULL,
  position INTEGER NOT NULL,
  number TEXT NOT NULL,
  prefix INTEGER NOT NULL CHECK (prefix IN (0, 1)),
  remark TEXT NOT NULL,
  PRIMARY KEY (tenant_id, owner_id, position),
  FOREIGN KEY (tenant_id, owner_id) REFERENCES pbx_object (tenant_id, object_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE routing_profile (
  tenant_id INTEGER NOT NULL,
  object_id INTEGER NOT NULL,
  profile_type TEXT NOT NULL,
  is_default INTEGER NOT NULL CHECK (is_default IN (0, 1)),
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE route (
  tenant_id INTEGER NOT NULL,
  owner_id INTEGER NOT NULL,
  position INTEGER NOT NULL,
  name TEXT NOT NULL,
  pattern TEXT NOT NULL,
  provider_id INTEGER,
  digits_to_add TEXT NOT NULL,
  digits_to_remove INTEGER NOT NULL,
  route_order INTEGER NOT NULL,
  priority INTEGER NOT NULL,
  weight INTEGER NOT NULL,
  emergency INTEGER NOT NULL CHECK (emergency IN (0, 1)),
  ask_pin INTEGER NOT NULL CHECK (ask_pin IN (0, 1)),
  least_cost INTEGER NOT NULL CHECK (least_cost IN (0, 1)),
  PRIMARY KEY (tenant_id, owner_id, position),
  FOREIGN KEY (tenant_id, owner_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, provider_id) REFERENCES pbx_object (tenant_id, object_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX route_provider_id ON route (tenant_id, provider_id);

CREATE TABLE provider (
  tenant_id INTEGER NOT NULL,
  object_id INTEGER NOT NULL,
  technology TEXT NOT NULL,
  peer_name TEXT NOT NULL,
  status TEXT NOT NULL,
  digits_to_add TEXT NOT NULL,
  digits_to_remove INTEGER NOT NULL,
  caller_id_number TEXT,
  max_channels INTEGER NOT NULL,
  penalty INTEGER NOT NULL,
  ignore_busy INTEGER NOT NULL CHECK (ignore_busy IN (0, 1)),
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE caller_id_rule_set (
  tenant_id INTEGER NOT NULL,
  object_id INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE caller_id_rule (
  tenant_id INTEGER NOT NULL,
  owner_id INTEGER NOT NULL,
  position INTEGER NOT NULL,
  applies_to TEXT NOT NULL,
  pattern TEXT NOT NULL,
  replacement TEXT NOT NULL,
  stop INTEGER NOT NULL CHECK (stop IN (0, 1)),
  PRIMARY KEY (tenant_id, owner_id, position),
  FOREIGN KEY (tenant_id, owner_id) REFERENCES pbx_object (tenant_id, object_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE user_profile (
  tenant_id INTEGER NOT NULL,
  object_id INTEGER NOT NULL,
  for_panel INTEGER NOT NULL CHECK (for_panel IN (0, 1)),
  reserved INTEGER NOT NULL CHECK (reserved IN (0, 1)),
  is_default INTEGER NOT NULL CHECK (is_default IN (0, 1)),
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE user_profile_privilege (
  tenant_id INTEGER NOT NULL,
  owner_id INTEGER NOT NULL,
  position INTEGER NOT NULL,
  privilege TEXT NOT NULL,
  access_level TEXT NOT NULL,
  PRIMARY KEY (tenant_id, owner_id, position),
  FOREIGN KEY (tenant_id, owner_id) REFERENCES pbx_object (tenant_id, object_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE ldap_server (
  tenant_id INTEGER NOT NULL,
  object_id INTEGER NOT NULL,
  host TEXT NOT NULL,
  port INTEGER NOT NULL,
  tls_mode TEXT NOT NULL,
  bind_dn TEXT NOT NULL,
  bind_password BLOB,
  base_dn TEXT NOT NULL,
  user_filter TEXT NOT NULL,
  timeout_seconds INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE did (
  tenant_id INTEGER NOT NULL,
  object_id INTEGER NOT NULL,
  phone_number TEXT NOT NULL,
  country TEXT NOT NULL,
  area TEXT NOT NULL,
  remark TEXT NOT NULL,
  max_channels INTEGER NOT NULL,
  emergency INTEGER NOT NULL CHECK (emergency IN (0, 1)),
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX did_phone_number ON did (tenant_id, phone_number);
