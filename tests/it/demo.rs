//! The demo data: two tenants with everything that a form can point at.

use std::collections::BTreeSet;

use vext::domain::{Kind, Patch};
use vext::objects::Condition;
use vext::operations::demo::{CANISTRACCI, IVY_MORGAN, IVY_MORGAN_ID, MOLLOY, VIRTUAL, fill};
use vext::service::{App, Save, SaveTarget, Viewer};
use vext::store::{self, Query, Result};

use crate::engines::{Content, Engine, Live, on_each_engine};

async fn filled(engine: Engine) -> (Live, App) {
    let live = Live::new(engine, Content::Schema);
    let app = App::open(&live.options()).unwrap();
    fill(&app).await.unwrap();
    (live, app)
}

/// Reads from one of the tenants.
async fn look<T: Send + 'static>(
    app: &App,
    code: &str,
    work: impl FnOnce(&mut Query<'_>) -> Result<T> + Send + 'static,
) -> T {
    let (snapshot, code) = (app.snapshot(), code.to_owned());
    let tenant = snapshot.read_system(move |session| store::tenant_by_code(session, &code)).await.unwrap().unwrap();
    snapshot.read(tenant.id, work).await.unwrap()
}

fn all(query: &mut Query<'_>) -> Result<Vec<store::ObjectRow>> {
    let mut rows = Vec::new();
    for kind in Kind::ALL {
        rows.extend(store::objects_of_kind(query, *kind)?);
    }
    Ok(rows)
}

async fn filling_twice_is_filling_once(engine: Engine) {
    let (_live, app) = filled(engine).await;
    let before = (app.tenants().await.unwrap(), look(&app, CANISTRACCI, all).await);
    fill(&app).await.unwrap();
    assert_eq!(before, (app.tenants().await.unwrap(), look(&app, CANISTRACCI, all).await));
    assert_eq!(before.0.iter().map(|tenant| tenant.settings.code.as_str()).collect::<Vec<_>>(), [CANISTRACCI, MOLLOY]);
}

async fn what_was_left_unfinished_is_not_taken_for_the_demo(engine: Engine) {
    let live = Live::new(engine, Content::Schema);
    let app = App::open(&live.options()).unwrap();
    let begun = [("code", CANISTRACCI), ("name", "Canistracci Oil"), ("timezone", "Europe/Rome")];
    app.create_tenant(&begun.into()).await.unwrap().unwrap();
    assert!(fill(&app).await.unwrap_err().to_string().contains("left incomplete"));
}

async fn there_is_something_of_every_kind(engine: Engine) {
    let (_live, app) = filled(engine).await;
    let rows = look(&app, CANISTRACCI, all).await;
    let count = |kind| rows.iter().filter(|row| row.kind == kind).count();
    for kind in Kind::ALL {
        assert!(count(*kind) > 0, "no {}", kind.label());
    }
    let numbers = |rows: &[store::ObjectRow], kind| {
        rows.iter().filter(|row| row.kind == kind).filter_map(|row| row.number.clone()).collect::<BTreeSet<_>>()
    };
    let real = ["100", "101", "102", "103", "104", "105", "106", "107", "109"].map(str::to_owned);
    assert_eq!(numbers(&rows, Kind::Extension), real.into());
    assert_eq!(numbers(&rows, Kind::VirtualExtension), VIRTUAL.map(str::to_owned).into());

    let conditions = rows.iter().filter(|row| row.kind == Kind::Condition).map(|row| row.id.local).collect::<Vec<_>>();
    let conditions = look(&app, CANISTRACCI, move |query| store::load_sections::<Condition>(query, &conditions)).await;
    let types: BTreeSet<_> = conditions.values().map(|condition| condition.condition_type.word()).collect();
    let every =
        ["WEEKDAY", "WEEKTIME", "HOURS", "CALENDAR", "ALL_OF", "ANY_OF", "NOT", "EXTENSION_STATUS", "CALLER_ID"];
    assert_eq!(types, every.into());
}

/// Whatever is reached by dialling has a number.
async fn what_is_dialled_has_a_number(engine: Engine) {
    use Kind::{Conference, HuntList, PagingGroup, Queue, ShortNumber};
    let (_live, app) = filled(engine).await;
    for code in [CANISTRACCI, MOLLOY] {
        let rows = look(&app, code, all).await;
        let dialled = |kind| matches!(kind, Queue | HuntList | Conference | PagingGroup | ShortNumber);
        let silent: Vec<_> = rows.into_iter().filter(|row| dialled(row.kind) && row.number.is_none()).collect();
        assert_eq!(silent, []);
    }
}

async fn the_tenants_have_an_extension_of_the_same_number(engine: Engine) {
    let (_live, app) = filled(engine).await;
    let name = |query: &mut Query<'_>| Ok(store::object_by_number(query, IVY_MORGAN)?.map(|row| (row.kind, row.name)));
    let (ivy, other) = (look(&app, CANISTRACCI, name).await.unwrap(), look(&app, MOLLOY, name).await.unwrap());
    assert_eq!(ivy, (Kind::VirtualExtension, "Ivy Morgan".to_owned()));
    let id = look(&app, CANISTRACCI, |query| store::object_by_number(query, IVY_MORGAN)).await.unwrap().id;
    assert_eq!(id.opaque(), IVY_MORGAN_ID);
    assert_eq!((other.0, other.1 != ivy.1), (Kind::VirtualExtension, true));
}

async fn ivys_form_gives_no_reason_for_a_warning(engine: Engine) {
    let (_live, app) = filled(engine).await;
    let ivy = look(&app, CANISTRACCI, |query| store::object_by_number(query, IVY_MORGAN)).await.unwrap();
    let save = Save {
        kind: Kind::VirtualExtension,
        target: SaveTarget::Existing(ivy.id),
        patch: Patch::default(),
        expected_version: Some(2),
        dry_run: true,
        report_warnings: true,
    };
    let saved = app.save(&app.snapshot(), &Viewer::system("test"), save).await.unwrap();
    assert_eq!((saved.errors, saved.warnings, saved.changes), (vec![], vec![], vec![]));
}

on_each_engine!(
    filling_twice_is_filling_once,
    what_was_left_unfinished_is_not_taken_for_the_demo,
    there_is_something_of_every_kind,
    what_is_dialled_has_a_number,
    the_tenants_have_an_extension_of_the_same_number,
    ivys_form_gives_no_reason_for_a_warning,
);
