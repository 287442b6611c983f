//! Media files: prompts, messages and music.

use super::{Detail, Named};
use crate::domain::{Kind, Seconds, Text, choice};
use crate::form::section;

section! {
    "media_file", "MediaFileInput";
    /// A media file: a prompt, a message or music.
    pub struct MediaFile {
        /// How the audio is encoded. `WAV` by default.
        pub audio_format: AudioFormat,
        /// How long the file plays: 0 to 86400 seconds, 0 by default.
        pub length_seconds: Seconds<0, 86_400>,
        /// The language that is spoken, such as `en` or `de_CH`: at most 16 characters; empty if nothing is spoken.
        pub spoken_language: Text<16>,
    }
}

choice! {
    /// How the audio of a media file is encoded.
    pub enum AudioFormat {
        /// Uncompressed audio in a WAV file.
        Wav = "WAV",
        /// MP3 (MPEG audio layer 3).
        Mp3 = "MP3",
        /// GSM full rate.
        Gsm = "GSM",
        /// G.711 µ-law.
        Ulaw = "ULAW",
        /// G.711 A-law.
        Alaw = "ALAW",
        /// Opus.
        Opus = "OPUS",
    }
}

impl Detail for MediaFile {
    const KIND: Kind = Kind::MediaFile;
    type Common = Named;
}
