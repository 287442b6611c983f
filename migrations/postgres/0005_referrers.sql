-- What else can refer to an extension: queues, voice menus, hunt lists, phones, conference rooms, paging groups, short
-- numbers and flows, and the other slots of outside numbers.

ALTER TABLE did ADD COLUMN unconditional_enabled BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE did ADD COLUMN branch TEXT NOT NULL DEFAULT '';
ALTER TABLE did ADD COLUMN department TEXT NOT NULL DEFAULT '';
ALTER TABLE did ADD COLUMN caller_name_lookup BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE did ADD COLUMN always_record BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE did ADD COLUMN transcript BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE did ADD COLUMN ai_summary BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE did ADD COLUMN ai_sentiment BOOLEAN NOT NULL DEFAULT FALSE;

CREATE TABLE queue (
  tenant_id BIGINT NOT NULL,
  object_id BIGINT NOT NULL,
  strategy TEXT NOT NULL,
  max_wait_seconds BIGINT NOT NULL,
  ring_seconds BIGINT NOT NULL,
  wrap_up_seconds BIGINT NOT NULL,
  ring_in_use BOOLEAN NOT NULL,
  ring_offline BOOLEAN NOT NULL,
  max_callers BIGINT NOT NULL,
  music_on_hold_id BIGINT,
  announcement_media_id BIGINT,
  announce_position BOOLEAN NOT NULL,
  periodic_announcement_media_id BIGINT,
  periodic_announcement_seconds BIGINT NOT NULL,
  callback_enabled BOOLEAN NOT NULL,
  callback_key TEXT,
  callback_attempts BIGINT NOT NULL,
  callback_retry_seconds BIGINT NOT NULL,
  exit_key TEXT,
  min_penalty BIGINT NOT NULL,
  max_penalty BIGINT,
  raise_penalty_seconds BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, music_on_hold_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, announcement_media_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, periodic_announcement_media_id) REFERENCES pbx_object (tenant_id, object_id)
);
CREATE INDEX queue_music_on_hold_id ON queue (tenant_id, music_on_hold_id);
CREATE INDEX queue_announcement_media_id ON queue (tenant_id, announcement_media_id);
CREATE INDEX queue_periodic_announcement_media_id ON queue (tenant_id, periodic_announcement_media_id);

CREATE TABLE queue_member (
  tenant_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  position BIGINT NOT NULL,
  extension_id BIGINT NOT NULL,
  penalty BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, owner_id, position),
  FOREIGN KEY (tenant_id, owner_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, extension_id) REFERENCES pbx_object (tenant_id, object_id)
);
CREATE INDEX queue_member_extension_id ON queue_member (tenant_id, extension_id);

CREATE TABLE ivr (
  tenant_id BIGINT NOT NULL,
  object_id BIGINT NOT NULL,
  ivr_type TEXT NOT NULL,
  spoken_language TEXT NOT NULL,
  prompt_media_id BIGINT,
  timeout_seconds BIGINT NOT NULL,
  digit_timeout_seconds BIGINT NOT NULL,
  loops BIGINT NOT NULL,
  dialing TEXT NOT NULL,
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, prompt_media_id) REFERENCES pbx_object (tenant_id, object_id)
);
CREATE INDEX ivr_prompt_media_id ON ivr (tenant_id, prompt_media_id);

CREATE TABLE hunt_list (
  tenant_id BIGINT NOT NULL,
  object_id BIGINT NOT NULL,
  strategy TEXT NOT NULL,
  ring_seconds BIGINT NOT NULL,
  dial_timeout_seconds BIGINT NOT NULL,
  fast_dialing BOOLEAN NOT NULL,
  play_music BOOLEAN NOT NULL,
  music_on_hold_id BIGINT,
  skip_in_use BOOLEAN NOT NULL,
  skip_offline BOOLEAN NOT NULL,
  allow_redirect BOOLEAN NOT NULL,
  allow_follow_me BOOLEAN NOT NULL,
  allow_additional_destinations BOOLEAN NOT NULL,
  request_confirm BOOLEAN NOT NULL,
  confirm_media_id BIGINT,
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, music_on_hold_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, confirm_media_id) REFERENCES pbx_object (tenant_id, object_id)
);
CREATE INDEX hunt_list_music_on_hold_id ON hunt_list (tenant_id, music_on_hold_id);
CREATE INDEX hunt_list_confirm_media_id ON hunt_list (tenant_id, confirm_media_id);

CREATE TABLE phone (
  tenant_id BIGINT NOT NULL,
  object_id BIGINT NOT NULL,
  mac_address TEXT,
  model TEXT NOT NULL,
  http_user TEXT NOT NULL,
  http_password BYTEA,
  is_default BOOLEAN NOT NULL,
  is_virtual BOOLEAN NOT NULL,
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id)
);
CREATE UNIQUE INDEX phone_mac_address ON phone (tenant_id, mac_address);

CREATE TABLE phone_line (
  tenant_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  position BIGINT NOT NULL,
  line_number BIGINT NOT NULL,
  extension_id BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, owner_id, position),
  FOREIGN KEY (tenant_id, owner_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, extension_id) REFERENCES pbx_object (tenant_id, object_id)
);
CREATE INDEX phone_line_extension_id ON phone_line (tenant_id, extension_id);

CREATE TABLE phone_key (
  tenant_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  position BIGINT NOT NULL,
  key_type TEXT NOT NULL,
  label TEXT NOT NULL,
  extension_id BIGINT,
  number TEXT,
  PRIMARY KEY (tenant_id, owner_id, position),
  FOREIGN KEY (tenant_id, owner_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, extension_id) REFERENCES pbx_object (tenant_id, object_id)
);
CREATE INDEX phone_key_extension_id ON phone_key (tenant_id, extension_id);

CREATE TABLE conference (
  tenant_id BIGINT NOT NULL,
  object_id BIGINT NOT NULL,
  pin TEXT,
  admin_pin TEXT,
  max_members BIGINT NOT NULL,
  music_on_hold_id BIGINT,
  record BOOLEAN NOT NULL,
  announce_join_leave BOOLEAN NOT NULL,
  wait_for_leader BOOLEAN NOT NULL,
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, music_on_hold_id) REFERENCES pbx_object (tenant_id, object_id)
);
CREATE INDEX conference_music_on_hold_id ON conference (tenant_id, music_on_hold_id);

CREATE TABLE paging_group (
  tenant_id BIGINT NOT NULL,
  object_id BIGINT NOT NULL,
  duplex BOOLEAN NOT NULL,
  skip_busy BOOLEAN NOT NULL,
  announcement_media_id BIGINT,
  ring_timeout_seconds BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, announcement_media_id) REFERENCES pbx_object (tenant_id, object_id)
);
CREATE INDEX paging_group_announcement_media_id ON paging_group (tenant_id, announcement_media_id);

CREATE TABLE short_number (
  tenant_id BIGINT NOT NULL,
  object_id BIGINT NOT NULL,
  destination TEXT NOT NULL,
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id)
);

CREATE TABLE flow (
  tenant_id BIGINT NOT NULL,
  object_id BIGINT NOT NULL,
  switched_on BOOLEAN NOT NULL,
  pin TEXT,
  monitored_extension_id BIGINT,
  monitored_state TEXT NOT NULL,
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, monitored_extension_id) REFERENCES pbx_object (tenant_id, object_id)
);
CREATE INDEX flow_monitored_extension_id ON flow (tenant_id, monitored_extension_id);
