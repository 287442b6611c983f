//! The key file: 32 random bytes in base64, readable by its owner only.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::domain::{Random, Sealer};

/// Reads the key, or creates it if it is missing and the database is new. An existing database may have secrets that
/// only the old key can open, so its key is never replaced.
pub(crate) fn load_key(path: &Path, fresh: bool, random: &dyn Random) -> Result<[u8; Sealer::KEY_LENGTH], String> {
    let shown = path.display();
    match fs::read_to_string(path) {
        Ok(text) => {
            let mode = fs::metadata(path).map_err(|e| format!("{shown}: {e}"))?.permissions().mode();
            if mode & 0o077 != 0 {
                return Err(format!(
                    "the key file {shown} can be read by others (mode {:03o}); run chmod 600 on it",
                    mode & 0o777
                ));
            }
            let bytes = STANDARD.decode(text.trim()).ok().and_then(|bytes| bytes.try_into().ok());
            bytes.ok_or_else(|| format!("the key file {shown} does not hold 32 bytes in base64"))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && fresh => {
            let mut key = [0; Sealer::KEY_LENGTH];
            random.fill(&mut key);
            let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
            file.and_then(|mut file| writeln!(file, "{}", STANDARD.encode(key)).and_then(|()| file.sync_all()))
                .map_err(|e| format!("the key file {shown} cannot be written: {e}"))?;
            Ok(key)
        }
        Err(error) => Err(format!("the key file {shown} of this database cannot be read: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::SystemRandom;

    #[test]
    fn a_key_is_created_once_and_kept_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vext.key");
        assert!(load_key(&path, false, &SystemRandom).unwrap_err().contains("cannot be read"));
        let key = load_key(&path, true, &SystemRandom).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(load_key(&path, false, &SystemRandom).unwrap(), key);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(load_key(&path, false, &SystemRandom).unwrap_err().contains("can be read by others (mode 644)"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "short").unwrap();
        assert!(load_key(&path, false, &SystemRandom).unwrap_err().contains("32 bytes"));
    }
}
