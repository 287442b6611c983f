//! Opening the database that the settings name.

use super::output::Failure;
use crate::config::DatabaseSettings;
use crate::domain::Environment;
use crate::service::{App, OpenOptions};
use crate::store::Database;

impl DatabaseSettings {
    /// Opens a database that exists: a typing error in its path must not leave an empty one behind.
    pub(super) fn open(&self) -> Result<App, Failure> {
        self.must_exist()?;
        self.open_or_make(1)
    }

    /// Opens a database; a SQLite file and its key are made where there are none.
    pub(super) fn open_or_make(&self, readers: usize) -> Result<App, Failure> {
        Ok(App::open(&self.options(readers)?)?)
    }

    pub(super) fn must_exist(&self) -> Result<(), Failure> {
        match self.database()? {
            Database::Sqlite(path) if !path.exists() => {
                Err(format!("there is no database {}; `vext migrate` makes one", path.display()).into())
            }
            _ => Ok(()),
        }
    }

    pub(super) fn options(&self, readers: usize) -> Result<OpenOptions, Failure> {
        let (database, key_file) = (self.database()?, self.key_path()?);
        Ok(OpenOptions { database, key_file, readers, environment: Environment::system() })
    }
}
