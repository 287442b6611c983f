-- What each kind of object adds to pbx_object, a table each: the columns are the fields of src/objects/<kind>.rs, in the same
-- order. Lists stand in link and destination; entries that belong to their owner alone stand in a table of their own.

CREATE TABLE extension (
  tenant_id BIGINT NOT NULL,
  object_id BIGINT NOT NULL,
  technology TEXT NOT NULL,
  peer_name TEXT NOT NULL,
  dial_string TEXT,
  dnd BOOLEAN NOT NULL,
  external_caller_id_number TEXT,
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id)
);

CREATE TABLE call_group (
  tenant_id BIGINT NOT NULL,
  object_id BIGINT NOT NULL,
  group_number BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id)
);
CREATE UNIQUE INDEX call_group_group_number ON call_group (tenant_id, group_number);

CREATE TABLE pickup_group (
  tenant_id BIGINT NOT NULL,
  object_id BIGINT NOT NULL,
  group_number BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id)
);
CREATE UNIQUE INDEX pickup_group_group_number ON pickup_group (tenant_id, group_number);

CREATE TABLE spy_group (
  tenant_id BIGINT NOT NULL,
  object_id BIGINT NOT NULL,
  engine_name TEXT NOT NULL,
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id)
);
CREATE UNIQUE INDEX spy_group_engine_name ON spy_group (tenant_id, engine_name);

CREATE TABLE voicemail_box (
  tenant_id BIGINT NOT NULL,
  object_id BIGINT NOT NULL,
  mailbox TEXT NOT NULL,
  full_name TEXT NOT NULL,
  pin TEXT,
  email TEXT NOT NULL,
  attach_recording BOOLEAN NOT NULL,
  delete_after_mail BOOLEAN NOT NULL,
  say_caller_id BOOLEAN NOT NULL,
  review BOOLEAN NOT NULL,
  envelope BOOLEAN NOT NULL,
  max_messages BIGINT NOT NULL,
  min_seconds BIGINT NOT NULL,
  max_seconds BIGINT NOT NULL,
  timezone TEXT,
  prompt_language TEXT NOT NULL,
  transcript BOOLEAN NOT NULL,
  auto_delete_days BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id)
);

CREATE TABLE music_on_hold (
  tenant_id BIGINT NOT NULL,
  object_id BIGINT NOT NULL,
  play_mode TEXT NOT NULL,
  volume BIGINT NOT NULL,
  random_order BOOLEAN NOT NULL,
  is_default BOOLEAN NOT NULL,
  stream_url TEXT,
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id)
);

CREATE TABLE phone_book (
  tenant_id BIGINT NOT NULL,
  object_id BIGINT NOT NULL,
  include_extensions BOOLEAN NOT NULL,
  include_short_numbers BOOLEAN NOT NULL,
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id)
);

CREATE TABLE phone_book_entry (
  tenant_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  position BIGINT NOT NULL,
  name TEXT NOT NULL,
  phone1 TEXT,
  phone2 TEXT,
  email TEXT,
  PRIMARY KEY (tenant_id, owner_id, position),
  FOREIGN KEY (tenant_id, owner_id) REFERENCES pbx_object (tenant_id, object_id)
);

CREATE TABLE parking_lot (
  tenant_id BIGINT NOT NULL,
  object_id BIGINT NOT NULL,
  first_slot TEXT NOT NULL,
  last_slot TEXT NOT NULL,
  timeout_seconds BIGINT NOT NULL,
  music_on_hold_id BIGINT,
  is_default BOOLEAN NOT NULL,
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, music_on_hold_id) REFERENCES pbx_object (tenant_id, object_id)
);
CREATE INDEX parking_lot_music_on_hold_id ON parking_lot (tenant_id, music_on_hold_id);

CREATE TABLE media_file (
  tenant_id BIGINT NOT NULL,
  object_id BIGINT NOT NULL,
  audio_format TEXT NOT NULL,
  length_seconds BIGINT NOT NULL,
  spoken_language TEXT NOT NULL,
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id)
);

CREATE TABLE condition (
  tenant_id BIGINT NOT NULL,
  object_id BIGINT NOT NULL,
  condition_type TEXT NOT NULL,
  timezone TEXT,
  extension_state TEXT NOT NULL,
  combine TEXT NOT NULL,
  caller_id_pattern TEXT,
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id)
);

CREATE TABLE condition_span (
  tenant_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  position BIGINT NOT NULL,
  weekday TEXT,
  from_time BIGINT,
  to_time BIGINT,
  starts_at BIGINT,
  ends_at BIGINT,
  PRIMARY KEY (tenant_id, owner_id, position),
  FOREIGN KEY (tenant_id, owner_id) REFERENCES pbx_object (tenant_id, object_id)
);

CREATE TABLE call_list (
  tenant_id BIGINT NOT NULL,
  object_id BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id)
);

CREATE TABLE call_list_entry (
  tenant_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  position BIGINT NOT NULL,
  number TEXT NOT NULL,
  prefix BOOLEAN NOT NULL,
  remark TEXT NOT NULL,
  PRIMARY KEY (tenant_id, owner_id, position),
  FOREIGN KEY (tenant_id, owner_id) REFERENCES pbx_object (tenant_id, object_id)
);

CREATE TABLE routing_profile (
  tenant_id BIGINT NOT NULL,
  object_id BIGINT NOT NULL,
  profile_type TEXT NOT NULL,
  is_default BOOLEAN NOT NULL,
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id)
);

CREATE TABLE route (
  tenant_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  position BIGINT NOT NULL,
  name TEXT NOT NULL,
  pattern TEXT NOT NULL,
  provider_id BIGINT,
  digits_to_add TEXT NOT NULL,
  digits_to_remove BIGINT NOT NULL,
  route_order BIGINT NOT NULL,
  priority BIGINT NOT NULL,
  weight BIGINT NOT NULL,
  emergency BOOLEAN NOT NULL,
  ask_pin BOOLEAN NOT NULL,
  least_cost BOOLEAN NOT NULL,
  PRIMARY KEY (tenant_id, owner_id, position),
  FOREIGN KEY (tenant_id, owner_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, provider_id) REFERENCES pbx_object (tenant_id, object_id)
);
CREATE INDEX route_provider_id ON route (tenant_id, provider_id);

CREATE TABLE provider (
  tenant_id BIGINT NOT NULL,
  object_id BIGINT NOT NULL,
  technology TEXT NOT NULL,
  peer_name TEXT NOT NULL,
  status TEXT NOT NULL,
  digits_to_add TEXT NOT NULL,
  digits_to_remove BIGINT NOT NULL,
  caller_id_number TEXT,
  max_channels BIGINT NOT NULL,
  penalty BIGINT NOT NULL,
  ignore_busy BOOLEAN NOT NULL,
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id)
);

CREATE TABLE caller_id_rule_set (
  tenant_id BIGINT NOT NULL,
  object_id BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id)
);

CREATE TABLE caller_id_rule (
  tenant_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  position BIGINT NOT NULL,
  applies_to TEXT NOT NULL,
  pattern TEXT NOT NULL,
  replacement TEXT NOT NULL,
  stop BOOLEAN NOT NULL,
  PRIMARY KEY (tenant_id, owner_id, position),
  FOREIGN KEY (tenant_id, owner_id) REFERENCES pbx_object (tenant_id, object_id)
);

CREATE TABLE user_profile (
  tenant_id BIGINT NOT NULL,
  object_id BIGINT NOT NULL,
  for_panel BOOLEAN NOT NULL,
  reserved BOOLEAN NOT NULL,
  is_default BOOLEAN NOT NULL,
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id)
);

CREATE TABLE user_profile_privilege (
  tenant_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  position BIGINT NOT NULL,
  privilege TEXT NOT NULL,
  access_level TEXT NOT NULL,
  PRIMARY KEY (tenant_id, owner_id, position),
  FOREIGN KEY (tenant_id, owner_id) REFERENCES pbx_object (tenant_id, object_id)
);

CREATE TABLE ldap_server (
  tenant_id BIGINT NOT NULL,
  object_id BIGINT NOT NULL,
  host TEXT NOT NULL,
  port BIGINT NOT NULL,
  tls_mode TEXT NOT NULL,
  bind_dn TEXT NOT NULL,
  bind_password BYTEA,
  base_dn TEXT NOT NULL,
  user_filter TEXT NOT NULL,
  timeout_seconds BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id)
);

CREATE TABLE did (
  tenant_id BIGINT NOT NULL,
  object_id BIGINT NOT NULL,
  phone_number TEXT NOT NULL,
  country TEXT NOT NULL,
  area TEXT NOT NULL,
  remark TEXT NOT NULL,
  max_channels BIGINT NOT NULL,
  emergency BOOLEAN NOT NULL,
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id)
);
CREATE UNIQUE INDEX did_phone_number ON did (tenant_id, phone_number);
