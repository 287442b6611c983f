-- What the search for soft references reads: where a text may equal an object's number.

CREATE INDEX follow_me_number ON follow_me (tenant_id, number);
CREATE INDEX destination_number ON destination (tenant_id, number);
CREATE INDEX phone_book_entry_phone1 ON phone_book_entry (tenant_id, phone1);
CREATE INDEX phone_book_entry_phone2 ON phone_book_entry (tenant_id, phone2);
CREATE INDEX call_list_entry_number ON call_list_entry (tenant_id, number);
CREATE INDEX voicemail_box_mailbox ON voicemail_box (tenant_id, mailbox);
CREATE INDEX phone_key_number ON phone_key (tenant_id, number);
CREATE INDEX short_number_destination ON short_number (tenant_id, destination);
