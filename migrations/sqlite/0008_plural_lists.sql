-- Lists have plural names. What is kept of their changes follows, so that histories read as one.

ALTER TABLE information RENAME COLUMN email TO emails;
ALTER TABLE outbound_recording RENAME COLUMN recording_email TO recording_emails;
ALTER TABLE additional_destinations RENAME COLUMN missed_call_email TO missed_call_emails;
ALTER TABLE voicemail_box RENAME COLUMN email TO emails;

UPDATE change_field SET path = 'information.emails' WHERE path = 'information.email';
UPDATE change_field SET path = 'outboundRecording.recordingEmails' WHERE path = 'outboundRecording.recordingEmail';
UPDATE change_field SET path = 'additionalDestinations.missedCallEmails' WHERE path = 'additionalDestinations.missedCallEmail';
UPDATE change_field SET path = 'emails' WHERE path = 'email';
