//! Gathers what the checks must know of a form's surroundings, with a fixed number of statements.

use std::collections::{HashMap, HashSet};

use crate::domain::{ExtensionNumber, Kind, ObjectId};
use crate::form::{Facts, Form, Holder, Known};
use crate::objects::{Condition, ConditionType, UserProfile};
use crate::store::{self, Query, Result, TenantRow};

/// The facts about `form` as the form of `own`, or as a new one, or as the tenant's defaults.
pub(super) fn gather(
    query: &mut Query<'_>,
    tenant: &TenantRow,
    form: &Form,
    own: Option<ObjectId>,
    defaults: bool,
    now: i64,
) -> Result<Facts> {
    let number = form.information.number.as_ref().map(ExtensionNumber::as_str);
    let others = |holder: Result<Option<Holder>>| holder.map(|h| h.filter(|h| Some(h.object) != own));
    let (mut number_holder, mut parking) = (None, None);
    if let Some(number) = number {
        number_holder = others(store::holder(query, number))?;
        parking = store::parking_slot(query, number)?;
    }
    let free_number = match number {
        Some(number) if number_holder.is_some() || parking.is_some() => store::free_number_behind(query, number)?,
        None if !defaults => store::free_number_behind(query, "099")?,
        _ => None,
    };
    let login_taken = match &form.web_user_panel.web_user {
        Some(login) => store::login_holder(query, login.as_str())?.is_some_and(|id| Some(id) != own.map(|o| o.local)),
        None => false,
    };
    let owns_external_number = match &form.outbound_calls.external_caller_id_number {
        Some(number) => store::owns_number(query, number.as_str())?,
        None => false,
    };
    let follow_me_target = match &form.follow_me.number {
        Some(number) => store::holder(query, number.as_str())?.map(|holder| holder.object),
        None => None,
    };
    let ldap = form.web_user_panel.use_ldap && store::ldap_exists(query)?;
    Ok(Facts {
        own,
        defaults,
        number_holder,
        parking,
        free_number,
        login_taken,
        transcription: tenant.settings.transcription,
        ai: tenant.settings.ai,
        ldap,
        owns_external_number,
        known: known(query, form, now)?,
        follow_me_target,
        new_password: None,
    })
}

/// Every object that the form refers to and that the tenant has.
fn known(query: &mut Query<'_>, form: &Form, now: i64) -> Result<HashMap<ObjectId, Known>> {
    let mut ids = HashSet::new();
    let tenant = query.tenant();
    form.references(&mut |reference| {
        // Another tenant's id is not even looked for.
        if reference.object.tenant == tenant {
            ids.insert(reference.object.local);
        }
    });
    let rows = store::load_objects(query, &ids.into_iter().collect::<Vec<_>>())?;
    let of = |kind| rows.values().filter(|row| row.kind == kind).map(|row| row.id.local).collect::<Vec<_>>();
    let conditions = conditions(query, of(Kind::Condition))?;
    let profiles: HashMap<i64, UserProfile> = store::load_sections(query, &of(Kind::UserProfile))?;
    let known = |row: store::ObjectRow| {
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
