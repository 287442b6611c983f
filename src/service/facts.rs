//! Gathers what the checks must know of a tenant, for any number of objects with the same number of statements.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::checkable::{Asks, Checkable};
use crate::domain::{Kind, ObjectId};
use crate::form::{AdditionalDestinations, Hop, Known, Surroundings, Typed};
use crate::objects::{Condition, ConditionType, Detail as _, HuntList, UserProfile};
use crate::store::{self, ObjectRow, Query, Result, TenantRow};

/// The longest chain that is followed; one that is longer is not worth a call's time either.
const MOST_HOPS: usize = 20;

/// What the checks of some objects must know, with all that calls and questions surely go on to from there.
pub(super) fn around(
    query: &mut Query<'_>,
    tenant: &TenantRow,
    objects: &[&dyn Checkable],
    now: i64,
) -> Result<Arc<Surroundings>> {
    let mut asks = Asks::default();
    objects.iter().for_each(|object| object.ask(&mut asks));
    let mut around = gather(query, tenant, asks, now)?;
    let next = objects.iter().flat_map(|object| object.surely(&around)).collect();
    follow(query, &mut around, next, now)?;
    Ok(Arc::new(around))
}

/// What `asks` asks for.
pub(super) fn gather(query: &mut Query<'_>, tenant: &TenantRow, asks: Asks, now: i64) -> Result<Surroundings> {
    let Asks { numbers, logins, outside, objects, ldap, slots, conditions } = asks;
    let mut around = Surroundings {
        now,
        transcription: tenant.settings.transcription,
        ai: tenant.settings.ai,
        ldap: ldap && store::has_enabled_ldap_server(query)?,
        lots: if slots { store::parking_slots(query)? } else { Vec::new() },
        ..Surroundings::default()
    };
    if !numbers.is_empty() {
        around.holders = store::number_holders(query, numbers)?;
    }
    if !logins.is_empty() {
        around.logins = store::login_owners(query, logins)?;
    }
    if !outside.is_empty() {
        around.owned = store::owned_numbers(query, outside)?;
    }
    around.known = known(query, (objects, conditions), now)?;
    Ok(around)
}

/// What the tenant has of some objects, and what the `conditions` among them ask, if that is asked. Another tenant's id is
/// not even looked for.
fn known(
    query: &mut Query<'_>,
    (objects, conditions): (HashSet<ObjectId>, bool),
    now: i64,
) -> Result<HashMap<ObjectId, Known>> {
    let tenant = query.tenant();
    let ids: Vec<_> = objects.into_iter().filter(|object| object.tenant == tenant).map(|object| object.local).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = store::load_objects(query, &ids)?;
    let of = |kind| rows.values().filter(|row| row.kind == kind).map(|row| row.id.local).collect::<Vec<_>>();
    let conditions = if conditions { self::conditions(query, of(Kind::Condition))? } else { HashMap::new() };
    let profiles: HashMap<i64, UserProfile> = match of(Kind::UserProfile) {
        none if none.is_empty() => HashMap::new(),
        profiles => store::load_sections(query, &profiles)?,
    };
    let known = |row: ObjectRow| {
        let local = row.id.local;
        let known = Known {
            kind: row.kind,
            name: row.name,
            enabled: row.enabled,
            of_time: of_time(local, &conditions, &mut HashSet::new()),
            never_true: never_true(local, &conditions, now, &mut HashSet::new()),
            for_panel: profiles.get(&local).is_some_and(|profile| profile.for_panel),
        };
        (row.id, known)
    };
    Ok(rows.into_values().map(known).collect())
}

/// Follows where calls and questions surely go on, from `starts`, level by level, and adds what it finds.
pub(super) fn follow(query: &mut Query<'_>, around: &mut Surroundings, starts: Vec<ObjectId>, now: i64) -> Result<()> {
    let mut wanted: HashSet<ObjectId> = starts.into_iter().collect();
    for _ in 0..MOST_HOPS {
        wanted.retain(|object| object.tenant == query.tenant() && !around.hops.contains_key(object));
        if wanted.is_empty() {
            break;
        }
        let rows = store::load_objects(query, &wanted.iter().map(|object| object.local).collect::<Vec<_>>())?;
        let of = |kind| rows.values().filter(|row| row.kind == kind).map(|row| row.id.local).collect::<Vec<_>>();
        let forms: HashMap<i64, AdditionalDestinations> = sections(query, &of(Kind::VirtualExtension))?;
        let conditions: HashMap<i64, Condition> = sections(query, &of(Kind::Condition))?;
        let lists: HashMap<i64, HuntList> = sections(query, &of(Kind::HuntList))?;
        let mut asks = Asks::default();
        lists.values().for_each(|list| asks.destinations(&list.members));
        forms
            .values()
            .filter(|form| form.unconditional_enabled)
            .for_each(|form| asks.destinations(&form.unconditional));
        asks.numbers.retain(|number| !around.holders.contains_key(number));
        asks.objects.retain(|object| !around.known.contains_key(object));
        if !asks.numbers.is_empty() {
            around.holders.extend(store::number_holders(query, asks.numbers)?);
        }
        around.known.extend(known(query, (asks.objects, true), now)?);
        wanted.clear();
        for row in rows.into_values() {
            let (id, local) = (row.id, row.id.local);
            let form = forms.get(&local).and_then(|form| form.surely(around)).map(|(_, object)| object);
            let condition = conditions.get(&local).map(|condition| condition.surely(around));
            let list = lists.get(&local).map(|list| list.surely(around));
            let next: Vec<_> = form.into_iter().chain([condition, list].into_iter().flatten().flatten()).collect();
            wanted.extend(&next);
            around.hops.insert(id, Hop { label: label(&row), next });
        }
    }
    Ok(())
}

fn sections<S: Typed>(query: &mut Query<'_>, ids: &[i64]) -> Result<HashMap<i64, S>> {
    if ids.is_empty() { Ok(HashMap::new()) } else { store::load_sections(query, ids) }
}

/// How messages and lists call an object: `108 Ivy Morgan`.
pub(crate) fn label(row: &ObjectRow) -> String {
    match (&row.number, row.kind) {
        (_, Kind::FormDefaults) => row.kind.label().to_owned(),
        (Some(number), _) => format!("{number} {}", row.name),
        (None, _) => row.name.clone(),
    }
}

/// Conditions and, level by level, what they are composed of.
fn conditions(query: &mut Query<'_>, mut wanted: Vec<i64>) -> Result<HashMap<i64, Condition>> {
    let mut found = HashMap::<i64, Condition>::new();
    while !wanted.is_empty() {
        found.extend(store::load_sections::<Condition>(query, &wanted)?);
        let parts = found.values().flat_map(|condition| condition.part_ids.ids()).map(|id| id.object().local);
        let next: HashSet<i64> = parts.filter(|part| !found.contains_key(part)).collect();
        // A part that is no condition has no row and would be asked for again and again.
        let next = next.into_iter().filter(|part| !wanted.contains(part)).collect();
        wanted = next;
    }
    Ok(found)
}

/// Whether a condition only asks the time, by itself or through all that it is composed of.
fn of_time(id: i64, conditions: &HashMap<i64, Condition>, above: &mut HashSet<i64>) -> bool {
    let Some(condition) = conditions.get(&id) else { return false };
    let composed = matches!(condition.condition_type, ConditionType::AllOf | ConditionType::AnyOf | ConditionType::Not);
    if !composed || !above.insert(id) {
        return condition.of_time();
    }
    let parts = condition.part_ids.ids();
    let all = !parts.is_empty() && parts.iter().all(|part| of_time(part.object().local, conditions, above));
    above.remove(&id);
    all
}

/// Whether a condition can never be true from now on. A circle counts as never true: it has no first answer.
fn never_true(id: i64, conditions: &HashMap<i64, Condition>, now: i64, above: &mut HashSet<i64>) -> bool {
    let Some(condition) = conditions.get(&id) else { return false };
    if condition.never_true_alone(now) || !above.insert(id) {
        return true;
    }
    let mut parts = condition.part_ids.ids().iter().map(|part| part.object().local);
    let never = match condition.condition_type {
        ConditionType::AllOf => parts.any(|part| never_true(part, conditions, now, above)),
        ConditionType::AnyOf => parts.all(|part| never_true(part, conditions, now, above)),
        _ => false,
    };
    above.remove(&id);
    never
}
