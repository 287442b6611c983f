//! Random saves give the same answers on SQLite, on PostgreSQL, and in a model that keeps everything in memory.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio::runtime::Runtime;
use vext::domain::{Kind, Patch, Sent, TenantId};
use vext::form::{Information, Note};
use vext::service::{App, Save, SaveTarget, Saved, Viewer};
use vext::store::{self, OrderField};

use crate::engines::{Content, Engine, Live, postgres_or_skip};

const TENANT: TenantId = TenantId(1);
/// The template takes the tenant's first id.
const FIRST: i64 = 2;

/// What somebody does. Extensions are named by the order in which they were made, whether that succeeded or not.
#[derive(Clone, Debug)]
enum Act {
    Create {
        number: String,
        name: String,
    },
    Update {
        which: usize,
        number: Option<String>,
        name: Option<String>,
        branch: Option<String>,
        version: Version,
        dry: bool,
    },
    Defaults {
        branch: String,
    },
}

/// Which version the client says that it has seen.
#[derive(Clone, Copy, Debug)]
enum Version {
    None,
    Current,
    Stale,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    // So few numbers that they collide, and some that no rule lets pass.
    let number =
        || prop_oneof![4 => (10..16_u8).prop_map(|n| n.to_string()), 1 => Just("7".into()), 1 => Just("1x".into())];
    let name = || prop_oneof![4 => "[A-C]", 1 => Just(String::new()), 1 => Just("<b>".into())];
    let branch = || prop_oneof![4 => "[X-Zß]", 1 => Just("a\u{1}".into())];
    let version = prop_oneof![Just(Version::None), Just(Version::Current), Just(Version::Stale)];
    let update = (0..8_usize, of(number()), of(name()), of(branch()), version, prop::bool::weighted(0.2)).prop_map(
        |(which, number, name, branch, version, dry)| Act::Update { which, number, name, branch, version, dry },
    );
    let act = prop_oneof![
        3 => (number(), name()).prop_map(|(number, name)| Act::Create { number, name }),
        5 => update,
        1 => branch().prop_map(|branch| Act::Defaults { branch }),
    ];
    prop::collection::vec(act, 1..40)
}

fn of(one: impl Strategy<Value = String>) -> impl Strategy<Value = Option<String>> {
    prop::option::of(one)
}

/// What came of it: the object and its version, and what was wrong, as `path CODE`.
type Answer = (Option<i64>, Option<i64>, Vec<String>);
/// What is there in the end, by id: number, name, branch, version.
type State = BTreeMap<i64, (String, String, String, i64)>;

#[derive(Default)]
struct Model {
    state: State,
    branch: String,
    made: Vec<Option<i64>>,
}

impl Model {
    fn holder(&self, number: &str) -> Option<i64> {
        self.state.iter().find(|(_, entry)| entry.0 == number).map(|(id, _)| *id)
    }

    /// What the fields' own rules say.
    fn broken(number: Option<&String>, name: Option<&String>, branch: Option<&String>) -> Vec<String> {
        let digits = |n: &String| n.len() >= 2 && n.bytes().all(|b| b.is_ascii_digit());
        let rules = [
            ("information.number INVALID_FORMAT", number.is_some_and(|n| !digits(n))),
            ("information.name INVALID_FORMAT", name.is_some_and(|n| n.contains('<'))),
            ("note.branch INVALID_FORMAT", branch.is_some_and(|b| b.contains('\u{1}'))),
        ];
        rules.into_iter().filter(|(_, broken)| *broken).map(|(said, _)| said.to_owned()).collect()
    }

    /// What the form as a whole says, where its fields' own rules said nothing.
    fn checked(&self, mut wrong: Vec<String>, own: Option<i64>, number: &str, name: &str) -> Vec<String> {
        let said = |wrong: &[String], field: &str| wrong.iter().any(|w| w.starts_with(field));
        if !said(&wrong, "information.number") && self.holder(number).is_some_and(|id| Some(id) != own) {
            wrong.push("information.number NUMBER_TAKEN".into());
        }
        if !said(&wrong, "information.name") && name.is_empty() {
            wrong.push("information.name REQUIRED".into());
        }
        wrong.sort();
        wrong
    }

    fn act(&mut self, act: &Act) -> Answer {
        match act {
            Act::Create { number, name } => {
                let broken = Self::broken(Some(number), Some(name), None);
                // The default name is empty, and a name that was refused leaves it so.
                let wrong = self.checked(broken, None, number, name);
                let id = wrong.is_empty().then(|| FIRST + self.state.len() as i64);
                self.made.push(id);
                if let Some(id) = id {
                    self.state.insert(id, (number.clone(), name.clone(), self.branch.clone(), 1));
                }
                (id, id.map(|_| 1), wrong)
            }
            Act::Update { which, number, name, branch, version, dry } => {
                let Some(id) = self.made.get(*which).copied().flatten() else {
                    return (None, None, vec!["id NOT_FOUND".into()]);
                };
                let before = self.state[&id].clone();
                if matches!(version, Version::Stale) {
                    return (Some(id), Some(before.3), vec!["expectedVersion CONFLICT".into()]);
                }
                let wrong = Self::broken(number.as_ref(), name.as_ref(), branch.as_ref());
                let after = (
                    number.clone().unwrap_or(before.0.clone()),
                    name.clone().unwrap_or(before.1.clone()),
                    branch.clone().unwrap_or(before.2.clone()),
                );
                let wrong = self.checked(wrong, Some(id), &after.0, &after.1);
                let mut version = before.3;
                if wrong.is_empty() && !dry && (&after.0, &after.1, &after.2) != (&before.0, &before.1, &before.2) {
                    version += 1;
                    self.state.insert(id, (after.0, after.1, after.2, version));
                }
                (Some(id), Some(version), wrong)
            }
            Act::Defaults { branch } => {
                let wrong = Self::broken(None, None, Some(branch));
                if wrong.is_empty() {
                    self.branch.clone_from(branch);
                }
                (Some(1), None, wrong)
            }
        }
    }
}

/// One engine, with the ids of what was made.
struct Real {
    app: App,
    made: Vec<Option<i64>>,
    _live: Live,
}

impl Real {
    async fn new(engine: Engine) -> Self {
        let live = Live::new(engine, Content::Schema);
        let app = App::open(&live.options()).unwrap();
        let tenant = [("code", "MODEL"), ("name", "Model"), ("timezone", "UTC")];
        app.create_tenant(&tenant.into()).await.unwrap().unwrap();
        Self { app, made: Vec::new(), _live: live }
    }

    async fn version(&self, id: i64) -> Option<i64> {
        let rows = self.app.snapshot().read(TENANT, move |query| store::load_objects(query, &[id])).await.unwrap();
        rows.get(&id).map(|row| row.version)
    }

    async fn save(&self, target: SaveTarget, patch: Patch, expected_version: Option<i64>, dry_run: bool) -> Saved {
        let kind = match target {
            SaveTarget::Defaults(_) => Kind::FormDefaults,
            _ => Kind::VirtualExtension,
        };
        // What is wrong does not depend on it.
        let report_warnings = self.made.len().is_multiple_of(2);
        let save = Save { kind, target, patch, expected_version, dry_run, report_warnings };
        self.app.save(&self.app.snapshot(), &Viewer::system("model"), save).await.unwrap()
    }

    async fn act(&mut self, act: &Act) -> Answer {
        // What is not said is left out.
        let section = |name: &str, fields: &[(&str, &Option<String>)]| {
            let said = fields.iter().filter_map(|(field, text)| Some((*field, text.as_deref()?)));
            (name.to_owned(), Sent::Object(said.collect()))
        };
        let info = |number: &Option<String>, name: &Option<String>| {
            section("information", &[("number", number), ("name", name)])
        };
        let note = |branch: &Option<String>| section("note", &[("branch", branch)]);
        let saved = match act {
            Act::Create { number, name } => {
                let patch = [info(&Some(number.clone()), &Some(name.clone()))].into();
                let saved = self.save(SaveTarget::New(TENANT), patch, None, false).await;
                self.made.push(saved.object.as_ref().map(|row| row.id.local));
                saved
            }
            Act::Update { which, number, name, branch, version, dry } => {
                let local = self.made.get(*which).copied().flatten().unwrap_or(999_999);
                let expected = match (version, self.version(local).await) {
                    (Version::None, _) | (_, None) => None,
                    (Version::Current, Some(version)) => Some(version),
                    (Version::Stale, Some(version)) => Some(version + 1),
                };
                let patch = [info(number, name), note(branch)].into();
                let object = vext::domain::ObjectId { tenant: TENANT, local };
                self.save(SaveTarget::Existing(object), patch, expected, *dry).await
            }
            Act::Defaults { branch } => {
                self.save(SaveTarget::Defaults(TENANT), [note(&Some(branch.clone()))].into(), None, false).await
            }
        };
        let id = saved.object.as_ref().map(|row| row.id.local);
        let version = match id {
            Some(id) if !matches!(act, Act::Defaults { .. }) => self.version(id).await,
            _ => None,
        };
        let said = |p: &vext::domain::Problem| format!("{} {}", p.path.join("."), p.code.word());
        let mut wrong: Vec<_> = saved.errors.iter().map(said).collect();
        wrong.sort();
        (id, version, wrong)
    }

    async fn state(&self) -> State {
        let read = |query: &mut store::Query<'_>| {
            let by_number = (OrderField::Number, store::OrderDirection::Asc);
            let rows = store::objects_in_range(
                query,
                Kind::VirtualExtension,
                by_number,
                &OrderField::Number.full_range(),
                1000,
            )?;
            assert!(rows.is_sorted_by_key(|row| row.number.clone()), "paging sorts by bytes");
            let ids: Vec<_> = rows.iter().map(|row| row.id.local).collect();
            let notes = store::load_sections::<Note>(query, &ids)?;
            let info = store::load_sections::<Information>(query, &ids)?;
            let one = |row: &store::ObjectRow| {
                let id = row.id.local;
                assert_eq!(info[&id].name.as_str(), row.name);
                (
                    id,
                    (row.number.clone().unwrap(), row.name.clone(), notes[&id].branch.as_str().to_owned(), row.version),
                )
            };
            Ok(rows.iter().map(one).collect())
        };
        self.app.snapshot().read(TENANT, read).await.unwrap()
    }
}

#[test]
fn random_saves_give_equal_answers_everywhere() {
    let mut engines = vec![Engine::Sqlite];
    engines.extend(postgres_or_skip().then_some(Engine::Postgres));
    let runtime = Runtime::new().unwrap();
    // The same cases every time: what fails in CI fails here.
    let config = Config { cases: 24, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(
        config,
        prop::test_runner::TestRng::deterministic_rng(prop::test_runner::RngAlgorithm::ChaCha),
    );
    let run = |acts: Vec<Act>| {
        runtime.block_on(async {
            let mut model = Model::default();
            let mut real = Vec::new();
            for engine in &engines {
                real.push(Real::new(*engine).await);
            }
            for (step, act) in acts.iter().enumerate() {
                let expected = model.act(act);
                for (engine, real) in engines.iter().zip(&mut real) {
                    prop_assert_eq!(&real.act(act).await, &expected, "step {} on {:?}: {:?}", step, engine, act);
                }
            }
            for (engine, real) in engines.iter().zip(&real) {
                prop_assert_eq!(&real.state().await, &model.state, "{:?}", engine);
            }
            Ok(())
        })
    };
    runner.run(&acts(), run).unwrap();
}
