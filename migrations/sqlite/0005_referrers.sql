-- What else can refer to an extension: queues, voice menus, hunt lists, phones, conference rooms, paging groups, short
-- numbers and flows, and the other slots of outside numbers.

ALTER TABLE did ADD COLUMN unconditional_enabled INTEGER NOT NULL DEFAULT 0 CHECK (unconditional_enabled IN (0, 1));
ALTER TABLE did ADD COLUMN branch TEXT NOT NULL DEFAULT '';
ALTER TABLE did ADD COLUMN department TEXT NOT NULL DEFAULT '';
ALTER TABLE did ADD COLUMN caller_name_lookup INTEGER NOT NULL DEFAULT 0 CHECK (caller_name_lookup IN (0, 1));
ALTER TABLE did ADD COLUMN always_record INTEGER NOT NULL DEFAULT 0 CHECK (always_record IN (0, 1));
ALTER TABLE did ADD COLUMN transcript INTEGER NOT NULL DEFAULT 0 CHECK (transcript IN (0, 1));
ALTER TABLE did ADD COLUMN ai_summary INTEGER NOT NULL DEFAULT 0 CHECK (ai_summary IN (0, 1));
ALTER TABLE did ADD COLUMN ai_sentiment INTEGER NOT NULL DEFAULT 0 CHECK (ai_sentiment IN (0, 1));

CREATE TABLE queue (
  tenant_id INTEGER NOT NULL,
  object_id INTEGER NOT NULL,
  strategy TEXT NOT NULL,
  max_wait_seconds INTEGER NOT NULL,
  ring_seconds INTEGER NOT NULL,
  wrap_up_seconds INTEGER NOT NULL,
  ring_in_use INTEGER NOT NULL CHECK (ring_in_use IN (0, 1)),
  ring_offline INTEGER NOT NULL CHECK (ring_offline IN (0, 1)),
  max_callers INTEGER NOT NULL,
  music_on_hold_id INTEGER,
  announcement_media_id INTEGER,
  announce_position INTEGER NOT NULL CHECK (announce_position IN (0, 1)),
  periodic_announcement_media_id INTEGER,
  periodic_announcement_seconds INTEGER NOT NULL,
  callback_enabled INTEGER NOT NULL CHECK (callback_enabled IN (0, 1)),
  callback_key TEXT,
  callback_attempts INTEGER NOT NULL,
  callback_retry_seconds INTEGER NOT NULL,
  exit_key TEXT,
  min_penalty INTEGER NOT NULL,
  max_penalty INTEGER,
  raise_penalty_seconds INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, music_on_hold_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, announcement_media_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, periodic_announcement_media_id) REFERENCES pbx_object (tenant_id, object_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX queue_music_on_hold_id ON queue (tenant_id, music_on_hold_id);
CREATE INDEX queue_announcement_media_id ON queue (tenant_id, announcement_media_id);
CREATE INDEX queue_periodic_announcement_media_id ON queue (tenant_id, periodic_announcement_media_id);

CREATE TABLE queue_member (
  tenant_id INTEGER NOT NULL,
  owner_id INTEGER NOT NULL,
  position INTEGER NOT NULL,
  extension_id INTEGER NOT NULL,
  penalty INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, owner_id, position),
  FOREIGN KEY (tenant_id, owner_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, extension_id) REFERENCES pbx_object (tenant_id, object_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX queue_member_extension_id ON queue_member (tenant_id, extension_id);

CREATE TABLE ivr (
  tenant_id INTEGER NOT NULL,
  object_id INTEGER NOT NULL,
  ivr_type TEXT NOT NULL,
  spoken_language TEXT NOT NULL,
  prompt_media_id INTEGER,
  timeout_seconds INTEGER NOT NULL,
  digit_timeout_seconds INTEGER NOT NULL,
  loops INTEGER NOT NULL,
  dialing TEXT NOT NULL,
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, prompt_media_id) REFERENCES pbx_object (tenant_id, object_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX ivr_prompt_media_id ON ivr (tenant_id, prompt_media_id);

CREATE TABLE hunt_list (
  tenant_id INTEGER NOT NULL,
  object_id INTEGER NOT NULL,
  strategy TEXT NOT NULL,
  ring_seconds INTEGER NOT NULL,
  dial_timeout_seconds INTEGER NOT NULL,
  fast_dialing INTEGER NOT NULL CHECK (fast_dialing IN (0, 1)),
  play_music INTEGER NOT NULL CHECK (play_music IN (0, 1)),
  music_on_hold_id INTEGER,
  skip_in_use INTEGER NOT NULL CHECK (skip_in_use IN (0, 1)),
  skip_offline INTEGER NOT NULL CHECK (skip_offline IN (0, 1)),
  allow_redirect INTEGER NOT NULL CHECK (allow_redirect IN (0, 1)),
  allow_follow_me INTEGER NOT NULL CHECK (allow_follow_me IN (0, 1)),
  allow_additional_destinations INTEGER NOT NULL CHECK (allow_additional_destinations IN (0, 1)),
  request_confirm INTEGER NOT NULL CHECK (request_confirm IN (0, 1)),
  confirm_media_id INTEGER,
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, music_on_hold_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, confirm_media_id) REFERENCES pbx_object (tenant_id, object_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX hunt_list_music_on_hold_id ON hunt_list (tenant_id, music_on_hold_id);
CREATE INDEX hunt_list_confirm_media_id ON hunt_list (tenant_id, confirm_media_id);

CREATE TABLE phone (
  tenant_id INTEGER NOT NULL,
  object_id INTEGER NOT NULL,
  mac_address TEXT,
  model TEXT NOT NULL,
  http_user TEXT NOT NULL,
  http_password BLOB,
  is_default INTEGER NOT NULL CHECK (is_default IN (0, 1)),
  is_virtual INTEGER NOT NULL CHECK (is_virtual IN (0, 1)),
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX phone_mac_address ON phone (tenant_id, mac_address);

CREATE TABLE phone_line (
  tenant_id INTEGER NOT NULL,
  owner_id INTEGER NOT NULL,
  position INTEGER NOT NULL,
  line_number INTEGER NOT NULL,
  extension_id INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, owner_id, position),
  FOREIGN KEY (tenant_id, owner_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, extension_id) REFERENCES pbx_object (tenant_id, object_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX phone_line_extension_id ON phone_line (tenant_id, extension_id);

CREATE TABLE phone_key (
  tenant_id INTEGER NOT NULL,
  owner_id INTEGER NOT NULL,
  position INTEGER NOT NULL,
  key_type TEXT NOT NULL,
  label TEXT NOT NULL,
  extension_id INTEGER,
  number TEXT,
  PRIMARY KEY (tenant_id, owner_id, position),
  FOREIGN KEY (tenant_id, owner_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, extension_id) REFERENCES pbx_object (tenant_id, object_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX phone_key_extension_id ON phone_key (tenant_id, extension_id);

CREATE TABLE conference (
  tenant_id INTEGER NOT NULL,
  object_id INTEGER NOT NULL,
  pin TEXT,
  admin_pin TEXT,
  max_members INTEGER NOT NULL,
  music_on_hold_id INTEGER,
  record INTEGER NOT NULL CHECK (record IN (0, 1)),
  announce_join_leave INTEGER NOT NULL CHECK (announce_join_leave IN (0, 1)),
  wait_for_leader INTEGER NOT NULL CHECK (wait_for_leader IN (0, 1)),
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, music_on_hold_id) REFERENCES pbx_object (tenant_id, object_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX conference_music_on_hold_id ON conference (tenant_id, music_on_hold_id);

CREATE TABLE paging_group (
  tenant_id INTEGER NOT NULL,
  object_id INTEGER NOT NULL,
  duplex INTEGER NOT NULL CHECK (duplex IN (0, 1)),
  skip_busy INTEGER NOT NULL CHECK (skip_busy IN (0, 1)),
  announcement_media_id INTEGER,
  ring_timeout_seconds INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, announcement_media_id) REFERENCES pbx_object (tenant_id, object_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX paging_group_announcement_media_id ON paging_group (tenant_id, announcement_media_id);

CREATE TABLE short_number (
  tenant_id INTEGER NOT NULL,
  object_id INTEGER NOT NULL,
  destination TEXT NOT NULL,
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE flow (
  tenant_id INTEGER NOT NULL,
  object_id INTEGER NOT NULL,
  switched_on INTEGER NOT NULL CHECK (switched_on IN (0, 1)),
  pin TEXT,
  monitored_extension_id INTEGER,
  monitored_state TEXT NOT NULL,
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, monitored_extension_id) REFERENCES pbx_object (tenant_id, object_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX flow_monitored_extension_id ON flow (tenant_id, monitored_extension_id);
