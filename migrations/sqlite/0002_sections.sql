-- The nine sections of the form, a table each: the columns are the fields of src/form/<section>.rs, in the same order.
-- Lists stand in link and destination. Information's number, name and description stand in pbx_object.

CREATE TABLE information (
  tenant_id INTEGER NOT NULL,
  object_id INTEGER NOT NULL,
  email TEXT NOT NULL,
  security_pin TEXT,
  internal_caller_id_mode TEXT NOT NULL,
  internal_caller_id_name TEXT NOT NULL,
  internal_caller_id_number TEXT,
  voicemail_mwi_mailbox_id INTEGER,
  dnd INTEGER NOT NULL CHECK (dnd IN (0, 1)),
  inbound_timeout_seconds INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, voicemail_mwi_mailbox_id) REFERENCES pbx_object (tenant_id, object_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX information_voicemail_mwi_mailbox_id ON information (tenant_id, voicemail_mwi_mailbox_id);

CREATE TABLE call_settings (
  tenant_id INTEGER NOT NULL,
  object_id INTEGER NOT NULL,
  tx_volume INTEGER,
  rx_volume INTEGER,
  music_on_hold_id INTEGER,
  include_in_dial_by_name INTEGER NOT NULL CHECK (include_in_dial_by_name IN (0, 1)),
  recorded_name_media_id INTEGER,
  include_in_phone_books INTEGER NOT NULL CHECK (include_in_phone_books IN (0, 1)),
  call_waiting_server_side TEXT NOT NULL,
  parking_lot_id INTEGER,
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, music_on_hold_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, recorded_name_media_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, parking_lot_id) REFERENCES pbx_object (tenant_id, object_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX call_settings_music_on_hold_id ON call_settings (tenant_id, music_on_hold_id);
CREATE INDEX call_settings_recorded_name_media_id ON call_settings (tenant_id, recorded_name_media_id);
CREATE INDEX call_settings_parking_lot_id ON call_settings (tenant_id, parking_lot_id);

CREATE TABLE outbound_recording (
  tenant_id INTEGER NOT NULL,
  object_id INTEGER NOT NULL,
  always_record_outbound INTEGER NOT NULL CHECK (always_record_outbound IN (0, 1)),
  recording_email TEXT NOT NULL,
  min_recording_bytes INTEGER NOT NULL,
  recording_announcement_media_id INTEGER,
  privacy_recording INTEGER NOT NULL CHECK (privacy_recording IN (0, 1)),
  transcript INTEGER NOT NULL CHECK (transcript IN (0, 1)),
  ai_summary INTEGER NOT NULL CHECK (ai_summary IN (0, 1)),
  ai_sentiment INTEGER NOT NULL CHECK (ai_sentiment IN (0, 1)),
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, recording_announcement_media_id) REFERENCES pbx_object (tenant_id, object_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX outbound_recording_recording_announcement_media_id ON outbound_recording (tenant_id, recording_announcement_media_id);

CREATE TABLE security (
  tenant_id INTEGER NOT NULL,
  object_id INTEGER NOT NULL,
  outbound_mode TEXT NOT NULL,
  outbound_regex TEXT,
  outbound_block_reason TEXT NOT NULL,
  lock_pin TEXT,
  locked INTEGER NOT NULL CHECK (locked IN (0, 1)),
  max_outbound_seconds INTEGER NOT NULL,
  working_hours_enabled INTEGER NOT NULL CHECK (working_hours_enabled IN (0, 1)),
  working_hours_condition_id INTEGER,
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, working_hours_condition_id) REFERENCES pbx_object (tenant_id, object_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX security_working_hours_condition_id ON security (tenant_id, working_hours_condition_id);

CREATE TABLE web_user_panel (
  tenant_id INTEGER NOT NULL,
  object_id INTEGER NOT NULL,
  user_panel_enabled INTEGER NOT NULL CHECK (user_panel_enabled IN (0, 1)),
  web_user TEXT,
  web_password TEXT,
  use_ldap INTEGER NOT NULL CHECK (use_ldap IN (0, 1)),
  ldap_server_id INTEGER,
  two_factor_type TEXT NOT NULL,
  two_factor_secret BLOB,
  two_factor_mobile BLOB,
  notification_email TEXT,
  user_profile_id INTEGER,
  password_locked INTEGER NOT NULL CHECK (password_locked IN (0, 1)),
  never_expire INTEGER NOT NULL CHECK (never_expire IN (0, 1)),
  use_ip_filter INTEGER NOT NULL CHECK (use_ip_filter IN (0, 1)),
  ip_filter TEXT NOT NULL,
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, ldap_server_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, user_profile_id) REFERENCES pbx_object (tenant_id, object_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX web_user_panel_web_user ON web_user_panel (tenant_id, web_user);
CREATE INDEX web_user_panel_ldap_server_id ON web_user_panel (tenant_id, ldap_server_id);
CREATE INDEX web_user_panel_user_profile_id ON web_user_panel (tenant_id, user_profile_id);

CREATE TABLE outbound_calls (
  tenant_id INTEGER NOT NULL,
  object_id INTEGER NOT NULL,
  external_caller_id_number TEXT,
  external_caller_id_name TEXT NOT NULL,
  block_caller_id INTEGER NOT NULL CHECK (block_caller_id IN (0, 1)),
  emergency_caller_id_number TEXT,
  use_this_caller_id_in_virtual INTEGER NOT NULL CHECK (use_this_caller_id_in_virtual IN (0, 1)),
  caller_id_rule_set_id INTEGER,
  area_code TEXT NOT NULL,
  area_code_min_digits INTEGER NOT NULL,
  area_code_max_digits INTEGER NOT NULL,
  area_code_regex TEXT,
  use_tenant_area_code INTEGER NOT NULL CHECK (use_tenant_area_code IN (0, 1)),
  use_tenant_area_code_regex INTEGER NOT NULL CHECK (use_tenant_area_code_regex IN (0, 1)),
  routing_profile_id INTEGER,
  apply_always_routing_profile INTEGER NOT NULL CHECK (apply_always_routing_profile IN (0, 1)),
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, caller_id_rule_set_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, routing_profile_id) REFERENCES pbx_object (tenant_id, object_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX outbound_calls_caller_id_rule_set_id ON outbound_calls (tenant_id, caller_id_rule_set_id);
CREATE INDEX outbound_calls_routing_profile_id ON outbound_calls (tenant_id, routing_profile_id);

CREATE TABLE follow_me (
  tenant_id INTEGER NOT NULL,
  object_id INTEGER NOT NULL,
  enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
  number TEXT,
  condition_id INTEGER,
  dial_method TEXT NOT NULL,
  confirm INTEGER NOT NULL CHECK (confirm IN (0, 1)),
  confirm_media_id INTEGER,
  hold_media_id INTEGER,
  caller_id_mode TEXT NOT NULL,
  fixed_caller_id TEXT,
  number_prefix TEXT NOT NULL,
  name_prefix TEXT NOT NULL,
  delay_seconds INTEGER NOT NULL,
  timeout_seconds INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, condition_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, confirm_media_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, hold_media_id) REFERENCES pbx_object (tenant_id, object_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX follow_me_condition_id ON follow_me (tenant_id, condition_id);
CREATE INDEX follow_me_confirm_media_id ON follow_me (tenant_id, confirm_media_id);
CREATE INDEX follow_me_hold_media_id ON follow_me (tenant_id, hold_media_id);

CREATE TABLE additional_destinations (
  tenant_id INTEGER NOT NULL,
  object_id INTEGER NOT NULL,
  unconditional_enabled INTEGER NOT NULL CHECK (unconditional_enabled IN (0, 1)),
  on_condition_enabled INTEGER NOT NULL CHECK (on_condition_enabled IN (0, 1)),
  condition_id INTEGER,
  on_busy_enabled INTEGER NOT NULL CHECK (on_busy_enabled IN (0, 1)),
  on_offline_enabled INTEGER NOT NULL CHECK (on_offline_enabled IN (0, 1)),
  on_no_answer_enabled INTEGER NOT NULL CHECK (on_no_answer_enabled IN (0, 1)),
  missed_call_email TEXT NOT NULL,
  ignore_internal_missed INTEGER NOT NULL CHECK (ignore_internal_missed IN (0, 1)),
  ignore_queue_missed INTEGER NOT NULL CHECK (ignore_queue_missed IN (0, 1)),
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, condition_id) REFERENCES pbx_object (tenant_id, object_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX additional_destinations_condition_id ON additional_destinations (tenant_id, condition_id);

CREATE TABLE note (
  tenant_id INTEGER NOT NULL,
  object_id INTEGER NOT NULL,
  branch TEXT NOT NULL,
  department TEXT NOT NULL,
  reference_id TEXT NOT NULL,
  additional_info TEXT NOT NULL,
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id)
) STRICT, WITHOUT ROWID;
