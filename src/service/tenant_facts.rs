//! Loads what checks must know about a tenant. The number of statements does not depend on the number of objects.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::checkable::{Checkable, Lookups};
use crate::domain::{Kind, ObjectId};
use crate::form::{AdditionalDestinations, Hop, ReferencedObject, TenantFacts, Typed};
use crate::objects::{Condition, ConditionType, Detail as _, HuntList, UserProfile};
use crate::store::{self, ObjectRow, Query, Result, TenantRow};

/// The length to which a chain of objects is followed; no sensible call goes further.
const MAX_HOPS: usize = 20;

/// Loads what the checks of some objects must know, including all objects that calls certainly reach from there.
pub(super) fn load_for(
    query: &mut Query<'_>,
    tenant: &TenantRow,
    objects: &[&dyn Checkable],
    now: i64,
) -> Result<Arc<TenantFacts>> {
    let mut lookups = Lookups::default();
    objects.iter().for_each(|object| object.collect_lookups(&mut lookups));
    let mut facts = load(query, tenant, lookups, now)?;
    let next = objects.iter().flat_map(|object| object.certain_targets(&facts)).collect();
    follow(query, &mut facts, next, now)?;
    Ok(Arc::new(facts))
}

/// Loads the facts for some lookups.
pub(super) fn load(query: &mut Query<'_>, tenant: &TenantRow, lookups: Lookups, now: i64) -> Result<TenantFacts> {
    let Lookups { numbers, logins, outside, objects, ldap, slots, conditions } = lookups;
    let mut facts = TenantFacts {
        now,
        transcription: tenant.settings.transcription,
        ai: tenant.settings.ai,
        ldap: ldap && store::has_enabled_ldap_server(query)?,
        lots: if slots { store::parking_slots(query)? } else { Vec::new() },
        ..TenantFacts::default()
    };
    if !numbers.is_empty() {
        facts.holders = store::number_holders(query, numbers)?;
    }
    if !logins.is_empty() {
        facts.logins = store::login_owners(query, logins)?;
    }
    if !outside.is_empty() {
        facts.owned = store::owned_numbers(query, outside)?;
    }
    facts.referenced = load_referenced(query, (objects, conditions), now)?;
    Ok(facts)
}

/// Loads those objects that exist in the tenant, with the properties of the conditions among them if `conditions` is
/// true. Ids of another tenant are not looked up.
fn load_referenced(
    query: &mut Query<'_>,
    (objects, conditions): (HashSet<ObjectId>, bool),
    now: i64,
) -> Result<HashMap<ObjectId, ReferencedObject>> {
    let tenant = query.tenant();
    let ids: Vec<_> = objects.into_iter().filter(|object| object.tenant == tenant).map(|object| object.local).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = store::load_objects(query, &ids)?;
    let ids_of = |kind| rows.values().filter(|row| row.kind == kind).map(|row| row.id.local).collect::<Vec<_>>();
    let conditions = if conditions { load_conditions(query, ids_of(Kind::Condition))? } else { HashMap::new() };
    let profiles: HashMap<i64, UserProfile> = match ids_of(Kind::UserProfile) {
        none if none.is_empty() => HashMap::new(),
        profiles => store::load_sections(query, &profiles)?,
    };
    let referenced = |row: ObjectRow| {
        let local = row.id.local;
        let object = ReferencedObject {
            kind: row.kind,
            name: row.name,
            enabled: row.enabled,
            time_only: depends_on_time_only(local, &conditions, &mut HashSet::new()),
            never_true: never_true(local, &conditions, now, &mut HashSet::new()),
            for_panel: profiles.get(&local).is_some_and(|profile| profile.for_panel),
        };
        (row.id, object)
    };
    Ok(rows.into_values().map(referenced).collect())
}

/// Follows the targets that calls certainly reach from `starts`, level by level, and adds them to the facts.
pub(super) fn follow(query: &mut Query<'_>, facts: &mut TenantFacts, starts: Vec<ObjectId>, now: i64) -> Result<()> {
    let mut wanted: HashSet<ObjectId> = starts.into_iter().collect();
    for _ in 0..MAX_HOPS {
        wanted.retain(|object| object.tenant == query.tenant() && !facts.hops.contains_key(object));
        if wanted.is_empty() {
            break;
        }
        let rows = store::load_objects(query, &wanted.iter().map(|object| object.local).collect::<Vec<_>>())?;
        let ids_of = |kind| rows.values().filter(|row| row.kind == kind).map(|row| row.id.local).collect::<Vec<_>>();
        let forms: HashMap<i64, AdditionalDestinations> = load_sections(query, &ids_of(Kind::VirtualExtension))?;
        let conditions: HashMap<i64, Condition> = load_sections(query, &ids_of(Kind::Condition))?;
        let lists: HashMap<i64, HuntList> = load_sections(query, &ids_of(Kind::HuntList))?;
        let mut lookups = Lookups::default();
        lists.values().for_each(|list| lookups.destinations(&list.members));
        forms
            .values()
            .filter(|form| form.unconditional_enabled)
            .for_each(|form| lookups.destinations(&form.unconditional));
        lookups.numbers.retain(|number| !facts.holders.contains_key(number));
        lookups.objects.retain(|object| !facts.referenced.contains_key(object));
        if !lookups.numbers.is_empty() {
            facts.holders.extend(store::number_holders(query, lookups.numbers)?);
        }
        facts.referenced.extend(load_referenced(query, (lookups.objects, true), now)?);
        wanted.clear();
        for row in rows.into_values() {
            let (id, local) = (row.id, row.id.local);
            let form = forms.get(&local).and_then(|form| form.certain_target(facts)).map(|(_, object)| object);
            let condition = conditions.get(&local).map(|condition| condition.certain_targets(facts));
            let list = lists.get(&local).map(|list| list.certain_targets(facts));
            let next: Vec<_> = form.into_iter().chain([condition, list].into_iter().flatten().flatten()).collect();
            wanted.extend(&next);
            facts.hops.insert(id, Hop { label: label(&row), next });
        }
    }
    Ok(())
}

fn load_sections<S: Typed>(query: &mut Query<'_>, ids: &[i64]) -> Result<HashMap<i64, S>> {
    if ids.is_empty() { Ok(HashMap::new()) } else { store::load_sections(query, ids) }
}

/// What messages and lists call an object: `108 Ivy Morgan`.
pub(crate) fn label(row: &ObjectRow) -> String {
    match (&row.number, row.kind) {
        (_, Kind::FormDefaults) => row.kind.label().to_owned(),
        (Some(number), _) => format!("{number} {}", row.name),
        (None, _) => row.name.clone(),
    }
}

/// Loads conditions and, level by level, the conditions that they combine.
fn load_conditions(query: &mut Query<'_>, mut wanted: Vec<i64>) -> Result<HashMap<i64, Condition>> {
    let mut found = HashMap::<i64, Condition>::new();
    while !wanted.is_empty() {
        found.extend(store::load_sections::<Condition>(query, &wanted)?);
        let parts = found.values().flat_map(|condition| condition.part_ids.ids()).map(|id| id.object().local);
        let next: HashSet<i64> = parts.filter(|part| !found.contains_key(part)).collect();
        // A part that is not a condition has no row, and would be looked up again and again.
        let next = next.into_iter().filter(|part| !wanted.contains(part)).collect();
        wanted = next;
    }
    Ok(found)
}

/// Whether a condition depends on the time alone, by itself or through all of its parts.
fn depends_on_time_only(id: i64, conditions: &HashMap<i64, Condition>, above: &mut HashSet<i64>) -> bool {
    let Some(condition) = conditions.get(&id) else { return false };
    let composed = matches!(condition.condition_type, ConditionType::AllOf | ConditionType::AnyOf | ConditionType::Not);
    if !composed || !above.insert(id) {
        return condition.time_only();
    }
    let parts = condition.part_ids.ids();
    let all =
        !parts.is_empty() && parts.iter().all(|part| depends_on_time_only(part.object().local, conditions, above));
    above.remove(&id);
    all
}

/// Whether a condition can never be true from now on. A circular condition counts as never true, because it cannot be
/// evaluated.
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
