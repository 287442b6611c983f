//! Opens the database that the settings name.

use super::output::Failure;
use crate::config::DatabaseSettings;
use crate::domain::Environment;
use crate::service::{App, OpenOptions};
use crate::store::Database;

impl DatabaseSettings {
    /// Opens a database that exists, so that a mistyped path does not create an empty one.
    pub(super) fn open(&self) -> Result<App, Failure> {
        self.must_exist()?;
        self.open_or_create(1)
    }

    /// Opens a database; creates a SQLite file and its key if they do not exist.
    pub(super) fn open_or_create(&self, readers: usize) -> Result<App, Failure> {
        Ok(App::open(&self.open_options(readers)?)?)
    }

    pub(super) fn must_exist(&self) -> Result<(), Failure> {
        match self.database()? {
            Database::Sqlite(path) if !path.exists() => {
                Err(format!("there is no database {}; `vext migrate` creates one", path.display()).into())
            }
            _ => Ok(()),
        }
    }

    pub(super) fn open_options(&self, readers: usize) -> Result<OpenOptions, Failure> {
        let (database, key_file) = (self.database()?, self.key_path()?);
        Ok(OpenOptions { database, key_file, readers, environment: Environment::system() })
    }
}
