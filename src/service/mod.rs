//! Use cases: the operations that a client can request, with one transaction each. Permissions are checked here.

mod access;
mod app;
mod checkable;
mod detail_object;
mod document;
mod effect;
mod feed;
pub mod find;
pub mod free_numbers;
mod gate;
mod hashing;
mod health;
mod key;
mod lint;
mod log_once;
mod open;
pub mod options;
mod refusal;
mod removal;
mod renumber;
mod save;
mod tenant_facts;
mod tenants;
mod token;
mod viewer;
mod viewers;

pub use app::App;
pub use document::hashed_secrets;
pub use effect::{Effect, ObjectChange, ObjectProblem};
pub use feed::{ChangeAction, FeedEvent, FeedFilter, Follower, decode_place, encode_place};
pub(crate) use gate::{Gate, GateSlot, Overloaded};
pub use health::Readiness;
pub(crate) use key::load_key;
pub use lint::{Finding, Findings, Lint, LintPlace, Severity};
pub(crate) use log_once::log_once;
pub use open::{OpenOptions, StartError, migrate};
pub use removal::{Delete, DeletePlan, Deleted, OnReferences, ShownEffects};
pub use renumber::{Renumber, Renumbered};
pub use save::{PlannedSave, PreparedSave, Save, SaveTarget, Saved};
pub(crate) use tenant_facts::label;
pub use token::{NewToken, TokenMark};
pub use viewer::{Selected, Viewer};

pub use crate::store::{Database, StoreError, TenantRow, TokenRow};
