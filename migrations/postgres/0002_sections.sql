-- The nine sections of the form, a table each: the columns are the fields of src/form/<section>.rs, in the same order.
-- Lists stand in link and destination. Information's number, name and description stand in pbx_object.

CREATE TABLE information (
  tenant_id BIGINT NOT NULL,
  object_id BIGINT NOT NULL,
  email TEXT NOT NULL,
  security_pin TEXT,
  internal_caller_id_mode TEXT NOT NULL,
  internal_caller_id_name TEXT NOT NULL,
  internal_caller_id_number TEXT,
  voicemail_mwi_mailbox_id BIGINT,
  dnd BOOLEAN NOT NULL,
  inbound_timeout_seconds BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, voicemail_mwi_mailbox_id) REFERENCES pbx_object (tenant_id, object_id)
);
CREATE INDEX information_voicemail_mwi_mailbox_id ON information (tenant_id, voicemail_mwi_mailbox_id);

CREATE TABLE call_settings (
  tenant_id BIGINT NOT NULL,
  object_id BIGINT NOT NULL,
  tx_volume BIGINT,
  rx_volume BIGINT,
  music_on_hold_id BIGINT,
  include_in_dial_by_name BOOLEAN NOT NULL,
  recorded_name_media_id BIGINT,
  include_in_phone_books BOOLEAN NOT NULL,
  call_waiting_server_side TEXT NOT NULL,
  parking_lot_id BIGINT,
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, music_on_hold_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, recorded_name_media_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, parking_lot_id) REFERENCES pbx_object (tenant_id, object_id)
);
CREATE INDEX call_settings_music_on_hold_id ON call_settings (tenant_id, music_on_hold_id);
CREATE INDEX call_settings_recorded_name_media_id ON call_settings (tenant_id, recorded_name_media_id);
CREATE INDEX call_settings_parking_lot_id ON call_settings (tenant_id, parking_lot_id);

CREATE TABLE outbound_recording (
  tenant_id BIGINT NOT NULL,
  object_id BIGINT NOT NULL,
  always_record_outbound BOOLEAN NOT NULL,
  recording_email TEXT NOT NULL,
  min_recording_bytes BIGINT NOT NULL,
  recording_announcement_media_id BIGINT,
  privacy_recording BOOLEAN NOT NULL,
  transcript BOOLEAN NOT NULL,
  ai_summary BOOLEAN NOT NULL,
  ai_sentiment BOOLEAN NOT NULL,
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, recording_announcement_media_id) REFERENCES pbx_object (tenant_id, object_id)
);
CREATE INDEX outbound_recording_recording_announcement_media_id ON outbound_recording (tenant_id, recording_announcement_media_id);

CREATE TABLE security (
  tenant_id BIGINT NOT NULL,
  object_id BIGINT NOT NULL,
  outbound_mode TEXT NOT NULL,
  outbound_regex TEXT,
  outbound_block_reason TEXT NOT NULL,
  lock_pin TEXT,
  locked BOOLEAN NOT NULL,
  max_outbound_seconds BIGINT NOT NULL,
  working_hours_enabled BOOLEAN NOT NULL,
  working_hours_condition_id BIGINT,
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, working_hours_condition_id) REFERENCES pbx_object (tenant_id, object_id)
);
CREATE INDEX security_working_hours_condition_id ON security (tenant_id, working_hours_condition_id);

CREATE TABLE web_user_panel (
  tenant_id BIGINT NOT NULL,
  object_id BIGINT NOT NULL,
  user_panel_enabled BOOLEAN NOT NULL,
  web_user TEXT,
  web_password TEXT,
  use_ldap BOOLEAN NOT NULL,
  ldap_server_id BIGINT,
  two_factor_type TEXT NOT NULL,
  two_factor_secret BYTEA,
  two_factor_mobile BYTEA,
  notification_email TEXT,
  user_profile_id BIGINT,
  password_locked BOOLEAN NOT NULL,
  never_expire BOOLEAN NOT NULL,
  use_ip_filter BOOLEAN NOT NULL,
  ip_filter TEXT NOT NULL,
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, ldap_server_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, user_profile_id) REFERENCES pbx_object (tenant_id, object_id)
);
CREATE UNIQUE INDEX web_user_panel_web_user ON web_user_panel (tenant_id, web_user);
CREATE INDEX web_user_panel_ldap_server_id ON web_user_panel (tenant_id, ldap_server_id);
CREATE INDEX web_user_panel_user_profile_id ON web_user_panel (tenant_id, user_profile_id);

CREATE TABLE outbound_calls (
  tenant_id BIGINT NOT NULL,
  object_id BIGINT NOT NULL,
  external_caller_id_number TEXT,
  external_caller_id_name TEXT NOT NULL,
  block_caller_id BOOLEAN NOT NULL,
  emergency_caller_id_number TEXT,
  use_this_caller_id_in_virtual BOOLEAN NOT NULL,
  caller_id_rule_set_id BIGINT,
  area_code TEXT NOT NULL,
  area_code_min_digits BIGINT NOT NULL,
  area_code_max_digits BIGINT NOT NULL,
  area_code_regex TEXT,
  use_tenant_area_code BOOLEAN NOT NULL,
  use_tenant_area_code_regex BOOLEAN NOT NULL,
  routing_profile_id BIGINT,
  apply_always_routing_profile BOOLEAN NOT NULL,
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, caller_id_rule_set_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, routing_profile_id) REFERENCES pbx_object (tenant_id, object_id)
);
CREATE INDEX outbound_calls_caller_id_rule_set_id ON outbound_calls (tenant_id, caller_id_rule_set_id);
CREATE INDEX outbound_calls_routing_profile_id ON outbound_calls (tenant_id, routing_profile_id);

CREATE TABLE follow_me (
  tenant_id BIGINT NOT NULL,
  object_id BIGINT NOT NULL,
  enabled BOOLEAN NOT NULL,
  number TEXT,
  condition_id BIGINT,
  dial_method TEXT NOT NULL,
  confirm BOOLEAN NOT NULL,
  confirm_media_id BIGINT,
  hold_media_id BIGINT,
  caller_id_mode TEXT NOT NULL,
  fixed_caller_id TEXT,
  number_prefix TEXT NOT NULL,
  name_prefix TEXT NOT NULL,
  delay_seconds BIGINT NOT NULL,
  timeout_seconds BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, condition_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, confirm_media_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, hold_media_id) REFERENCES pbx_object (tenant_id, object_id)
);
CREATE INDEX follow_me_condition_id ON follow_me (tenant_id, condition_id);
CREATE INDEX follow_me_confirm_media_id ON follow_me (tenant_id, confirm_media_id);
CREATE INDEX follow_me_hold_media_id ON follow_me (tenant_id, hold_media_id);

CREATE TABLE additional_destinations (
  tenant_id BIGINT NOT NULL,
  object_id BIGINT NOT NULL,
  unconditional_enabled BOOLEAN NOT NULL,
  on_condition_enabled BOOLEAN NOT NULL,
  condition_id BIGINT,
  on_busy_enabled BOOLEAN NOT NULL,
  on_offline_enabled BOOLEAN NOT NULL,
  on_no_answer_enabled BOOLEAN NOT NULL,
  missed_call_email TEXT NOT NULL,
  ignore_internal_missed BOOLEAN NOT NULL,
  ignore_queue_missed BOOLEAN NOT NULL,
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id),
  FOREIGN KEY (tenant_id, condition_id) REFERENCES pbx_object (tenant_id, object_id)
);
CREATE INDEX additional_destinations_condition_id ON additional_destinations (tenant_id, condition_id);

CREATE TABLE note (
  tenant_id BIGINT NOT NULL,
  object_id BIGINT NOT NULL,
  branch TEXT NOT NULL,
  department TEXT NOT NULL,
  reference_id TEXT NOT NULL,
  additional_info TEXT NOT NULL,
  PRIMARY KEY (tenant_id, object_id),
  FOREIGN KEY (tenant_id, object_id) REFERENCES pbx_object (tenant_id, object_id)
);
