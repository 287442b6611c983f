//! Carrying a plan out: reading, level by level.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use async_graphql::{Name, Variables};
use bytes::Bytes;
use foldhash::fast::RandomState;

use super::Unplanned;
use super::shape::{Asked, Entries, Fields, List, Objects, OfEdge, OfObject, OfPage, Page, Plan, Reading, Root, Shape};
use super::shape::{Single, Step, Tenant, Value, Worked};
use super::worked::FoundWorked;
use super::write::{self, Part};
use crate::domain::{self, ExtensionNumber, Kind, ObjectId, TenantId, json};
use crate::form::{Described, Destination, DestinationTarget};
use crate::graphql::layer::{Args, Given as _, Layer, Node, OfRow, Thing};
use crate::graphql::prices::{self, WALK, WALKING};
use crate::graphql::schema::{MOST, find_of, page_length};
use crate::service::Viewer;
use crate::service::find::{Cursor, Find};
use crate::store::{
    self, ChosenList, Columns, Deadline, ENTRY, ObjectRow, Query, Session, StoreError, TenantRow, Wanted,
};

/// Who asks, and what of the request a plan does not know.
pub struct Asks<'a> {
    /// Who asks.
    pub viewer: &'a Viewer,
    /// The values of its variables.
    pub variables: &'a Variables,
    /// The most objects that it may be answered.
    pub most: u64,
    /// The most bytes of its answer.
    pub longest: usize,
    /// The time, in milliseconds since 1970, and when it has to be answered.
    pub now: i64,
    /// See `now`.
    pub deadline: Option<Deadline>,
}

/// What came of a plan.
pub struct Outcome {
    /// The answer's `data`, as JSON.
    pub data: Bytes,
    /// What it has cost.
    pub cost: u64,
    /// The batches of look-ups: what was looked up, and how many keys.
    pub batches: Vec<(&'static str, usize)>,
    /// Whether the answer was kept from before.
    pub was_kept: bool,
}

pub(super) type Result<T> = std::result::Result<T, Unplanned>;

impl From<StoreError> for Unplanned {
    fn from(_: StoreError) -> Self {
        Self::Error
    }
}

impl From<async_graphql::Error> for Unplanned {
    fn from(_: async_graphql::Error) -> Self {
        Self::Error
    }
}

/// Carries a plan out in the transaction of a session.
///
/// # Errors
/// Why it is not answered so.
pub fn run(plan: &Plan, layer: &'static Layer, asks: &Asks<'_>, session: &mut dyn Session) -> Result<Outcome> {
    let mut read = Read::new(plan, layer, asks, session);
    for entry in &plan.root.0 {
        let root = read.root(&entry.what)?;
        read.found.root.push(root);
    }
    read.levels()?;
    let (data, cost) = write::write(plan, &read.found, asks.longest)?;
    Ok(Outcome { data, cost, batches: read.batches, was_kept: false })
}

/// What is told of a field of a mutation.
pub struct Told {
    /// What is written of it.
    pub part: Part,
    /// The objects of this request that no page and no id bounds, those before it included.
    pub spent: u64,
    /// See [`Outcome::batches`].
    pub batches: Vec<(&'static str, usize)>,
}

/// Tells what came of the field of a mutation at a place, in the transaction of a session: `changed` is what the field has
/// answered, and what that has cost besides. The name of the type has neither.
///
/// # Errors
/// Why it is not told so.
pub fn tell(
    (plan, at): (&Plan, usize),
    layer: &'static Layer,
    (asks, spent): (&Asks<'_>, u64),
    changed: Option<(Node, u64)>,
    session: &mut dyn Session,
) -> Result<Told> {
    let mut read = Read { spent, ..Read::new(plan, layer, asks, session) };
    let root = &plan.root.0.get(at).ok_or(Unplanned::Error)?.what;
    let found = match (root, changed) {
        (Root::Change(change), Some((node, price))) => FoundRoot::Worked(read.told_of(&change.worked, price, node)?),
        (root, _) => read.root(root)?,
    };
    read.levels()?;
    let part = write::part(plan, root, (&read.found, &found), asks.longest)?;
    Ok(Told { part, spent: read.spent, batches: read.batches })
}

/// The answer to a mutation whose fields have been told.
///
/// # Errors
/// It is too long.
pub fn join(plan: &Plan, parts: &[Part], longest: usize) -> Result<Outcome> {
    let (data, cost) = write::join(plan, parts, longest)?;
    Ok(Outcome { data, cost, batches: Vec::new(), was_kept: false })
}

/// Whether a plan may read many rows to find few, with these values of its variables: something is looked for that no
/// single index finds.
pub fn walks(plan: &Plan, layer: &'static Layer, variables: &Variables) -> bool {
    let finds_at_once = |page: &Page| {
        let find = args(layer, variables, &page.asked).and_then(|args| Ok(find_of(page.kind, &args)?));
        find.is_ok_and(|find| find.is_one_span())
    };
    let looks_over = |worked: &Worked| prices::walks(worked.asked.field.ty.name());
    let of_tenant = |fields: &Fields<Tenant>| {
        fields.0.iter().any(|entry| match &entry.what {
            Tenant::Page(page) => !finds_at_once(page),
            Tenant::Worked(_, worked) => looks_over(worked),
            _ => false,
        })
    };
    plan.root.0.iter().any(|entry| match &entry.what {
        Root::Typename(_) => false,
        Root::Tenant(_, fields) | Root::Tenants(fields) => of_tenant(fields),
        Root::Node(_, any) | Root::Nodes(_, any) => of_tenant(&any.tenant),
        Root::Worked(worked) => looks_over(worked),
        Root::Change(_) => false,
    })
}

/// The arguments of a field.
///
/// # Errors
/// A value is not of its type.
pub fn args(layer: &'static Layer, variables: &Variables, asked: &Asked) -> Result<Args> {
    let variable = |name: &Name| variables.get(name).cloned();
    Ok(Args::of(layer, &asked.field.args, &asked.arguments, &variable)?)
}

/// Everything that has been read.
#[derive(Default)]
pub(super) struct Found {
    pub rows: Map<ObjectId, FoundRow>,
    /// What has been read of own rows: [`Plan::columns`] of each.
    pub own: Table,
    own_rows: usize,
    /// By [`Reading::id`].
    pub loaded: Vec<Loaded>,
    /// By [`Page::id`].
    pub pages: Map<(usize, TenantId), FoundPage>,
    /// By [`Single::id`].
    pub singles: Map<(usize, TenantId), ObjectId>,
    /// What fields of tenants and objects have worked out, by their place in the plan. A tenant stands for the object 0.
    pub worked: Map<(usize, ObjectId), FoundWorked>,
    /// For each root field.
    pub root: Vec<FoundRoot>,
}

pub(super) type Map<K, V> = HashMap<K, V, RandomState>;

/// An object's own row.
pub(super) enum FoundRow {
    /// As it was found.
    Whole(Arc<ObjectRow>),
    /// Only what the plan asks for, in this row of [`Found::own`].
    Part(Kind, usize),
}

impl FoundRow {
    pub fn kind(&self) -> Kind {
        match self {
            Self::Whole(row) => row.kind,
            Self::Part(kind, _) => *kind,
        }
    }
}

/// What a root field answers.
pub(super) enum FoundRoot {
    Nothing,
    Tenants(Vec<TenantRow>),
    Nodes(Vec<FoundNode>),
    Worked(FoundWorked),
}

/// What has an id.
pub(super) enum FoundNode {
    Nothing,
    Tenant(TenantRow),
    Object(ObjectId),
}

/// A page of a list.
pub(super) struct FoundPage {
    pub rows: Vec<(ObjectId, String)>,
    pub more: bool,
    pub behind: bool,
    pub total: i64,
    /// What its arguments cost.
    pub price: u64,
}

/// Values of many rows as JSON, and ids that they lead to. Each row has as many as the next.
#[derive(Default)]
pub(super) struct Table {
    json: Vec<u8>,
    ends: Vec<usize>,
    leads: Vec<i64>,
}

/// No object.
const NOTHING: i64 = 0;

impl Table {
    /// A cell: `at` counts through all rows.
    pub fn cell(&self, at: usize) -> &[u8] {
        let begin = at.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or_default();
        self.ends.get(at).and_then(|end| self.json.get(begin..*end)).unwrap_or_default()
    }

    /// The id that a row leads to by one of its columns: `at` counts through all rows.
    pub fn lead(&self, at: usize) -> Option<i64> {
        self.leads.get(at).copied().filter(|id| *id != NOTHING)
    }

    fn put(&mut self, columns: &dyn Columns, cells: &[(&Described, usize)], tenant: TenantId) -> store::Result<()> {
        for (described, column) in cells {
            (described.write)(columns.get(*column)?, tenant, &mut self.json)
                .map_err(|problem| StoreError::from(problem.under(described.name)))?;
            self.ends.push(self.json.len());
        }
        Ok(())
    }

    fn lead_to(&mut self, columns: &dyn Columns, leads: &[usize]) -> store::Result<()> {
        for column in leads {
            self.leads.push(columns.get(*column)?.int().unwrap_or(NOTHING));
        }
        Ok(())
    }
}

/// The sections or the detail of many objects.
#[derive(Default)]
pub(super) struct Loaded {
    pub table: Table,
    /// The rows of objects.
    pub index: Map<ObjectId, usize>,
    pub lists: Vec<LoadedList>,
}

/// A list of many objects.
#[derive(Default)]
pub(super) struct LoadedList {
    pub table: Table,
    rows: usize,
    /// The rows of objects; none for an empty list.
    pub index: Map<ObjectId, Range<usize>>,
}

impl LoadedList {
    pub fn rows(&self, id: ObjectId) -> Range<usize> {
        self.index.get(&id).cloned().unwrap_or_default()
    }

    /// The ids of a list of ids or destinations.
    pub fn ids(&self, id: ObjectId) -> impl Iterator<Item = ObjectId> + '_ {
        self.rows(id).filter_map(move |row| Some(ObjectId { tenant: id.tenant, local: self.table.lead(row)? }))
    }
}

/// A plan while it is carried out.
pub(super) struct Read<'p, 's> {
    layer: &'static Layer,
    columns: &'p [OfRow],
    pub(super) asks: &'p Asks<'p>,
    pub(super) session: &'s mut dyn Session,
    spent: u64,
    /// What is to be read next.
    level: Vec<(&'p Objects, Vec<ObjectId>)>,
    pub(super) found: Found,
    pub(super) batches: Vec<(&'static str, usize)>,
}

impl<'p, 's> Read<'p, 's> {
    fn new(plan: &'p Plan, layer: &'static Layer, asks: &'p Asks<'p>, session: &'s mut dyn Session) -> Self {
        let loaded = (0..plan.readings).map(|_| Loaded::default()).collect();
        let found = Found { loaded, ..Found::default() };
        let (level, batches) = (Vec::new(), Vec::new());
        Self { layer, columns: &plan.columns, asks, session, spent: 0, level, found, batches }
    }

    /// Reads what the root fields lead to, level by level.
    fn levels(&mut self) -> Result<()> {
        while !self.level.is_empty() {
            let level = std::mem::take(&mut self.level);
            self.objects(level)?;
        }
        Ok(())
    }

    /// Notes an object that is to be read next.
    pub(super) fn next(&mut self, objects: &'p Objects, id: ObjectId) {
        match self.level.iter_mut().find(|(known, _)| std::ptr::eq(*known, objects)) {
            Some((_, ids)) => ids.push(id),
            None => self.level.push((objects, vec![id])),
        }
    }

    pub(super) fn spend(&mut self, objects: usize) -> Result<()> {
        self.spent = self.spent.saturating_add(objects as u64);
        if self.spent > self.asks.most { Err(Unplanned::Error) } else { Ok(()) }
    }

    pub(super) fn args(&self, asked: &Asked) -> Result<Args> {
        args(self.layer, self.asks.variables, asked)
    }

    fn root(&mut self, root: &'p Root) -> Result<FoundRoot> {
        Ok(match root {
            Root::Typename(_) | Root::Change(_) => FoundRoot::Nothing,
            Root::Worked(worked) => FoundRoot::Worked(self.work(worked, &Thing::of(()))?),
            Root::Tenant(asked, fields) => {
                let args = self.args(asked)?;
                let row = self.reading(&[]).tenant(args.text("code")?)?;
                let rows: Vec<_> = row.into_iter().collect();
                self.tenants(&rows, fields)?;
                FoundRoot::Tenants(rows)
            }
            Root::Tenants(fields) => {
                let mut rows = store::tenants(self.session)?;
                rows.retain(|tenant| self.asks.viewer.sees(tenant.id));
                self.spend(rows.len())?;
                self.tenants(&rows, fields)?;
                FoundRoot::Tenants(rows)
            }
            Root::Node(asked, any) => {
                let args = self.args(asked)?;
                let node = self.node(args.the_text("id")?)?;
                self.nodes(vec![node], &any.tenant, &any.objects)?
            }
            Root::Nodes(asked, any) => {
                let args = self.args(asked)?;
                let ids = args.texts("ids")?.unwrap_or_default();
                if ids.len() as i64 > MOST {
                    return Err(Unplanned::Error);
                }
                let nodes = ids.into_iter().map(|id| self.node(id)).collect::<Result<_>>()?;
                self.nodes(nodes, &any.tenant, &any.objects)?
            }
        })
    }

    fn node(&mut self, id: &str) -> Result<FoundNode> {
        let viewer = self.asks.viewer;
        if let Some(tenant) = TenantId::of_opaque(id) {
            let row = store::tenant_by_id(self.session, tenant)?.filter(|tenant| viewer.sees(tenant.id));
            return Ok(row.map_or(FoundNode::Nothing, FoundNode::Tenant));
        }
        match ObjectId::of_opaque(id).filter(|id| viewer.sees(id.tenant)) {
            Some(id) => {
                self.spend(1)?;
                Ok(FoundNode::Object(id))
            }
            None => Ok(FoundNode::Nothing),
        }
    }

    fn nodes(&mut self, nodes: Vec<FoundNode>, tenant: &'p Fields<Tenant>, objects: &'p Objects) -> Result<FoundRoot> {
        let mut ids = Vec::new();
        for node in &nodes {
            match node {
                FoundNode::Nothing => {}
                FoundNode::Tenant(row) => self.tenants(std::slice::from_ref(row), tenant)?,
                FoundNode::Object(id) => ids.push(*id),
            }
        }
        self.level.push((objects, ids));
        Ok(FoundRoot::Nodes(nodes))
    }

    pub(super) fn tenants(&mut self, rows: &[TenantRow], fields: &'p Fields<Tenant>) -> Result<()> {
        for row in rows {
            for entry in &fields.0 {
                match &entry.what {
                    Tenant::Typename(_) | Tenant::Id | Tenant::Revision | Tenant::Setting(_) => {}
                    Tenant::Defaults(objects) => {
                        self.spend(1)?;
                        self.level.push((objects, vec![ObjectId { tenant: row.id, local: row.defaults }]));
                    }
                    Tenant::One(single) => self.single(row, single)?,
                    Tenant::Page(page) => self.page(row, page)?,
                    Tenant::Worked(at, worked) => {
                        let found = self.work(worked, &Thing::of(row.clone()))?;
                        self.found.worked.insert((*at, of_tenant(row)), found);
                    }
                }
            }
        }
        Ok(())
    }

    fn single(&mut self, tenant: &TenantRow, single: &'p Single) -> Result<()> {
        let args = self.args(&single.asked)?;
        let by = args.the_object("by")?;
        let query = &mut Query::new(self.session, tenant.id);
        let row = if let Some(id) = by.text("id")? {
            if let Some(id) = ObjectId::of_opaque(id).filter(|id| id.tenant == tenant.id) {
                self.spend(1)?;
                // Its row is read with all others of the level.
                self.found.singles.insert((single.id, tenant.id), id);
                self.level.push((&single.objects, vec![id]));
            }
            return Ok(());
        } else if let Some(number) = by.text("number")? {
            match ExtensionNumber::read(number) {
                Ok(number) => store::plain_row(query, number.as_str())?,
                Err(_) => None,
            }
        } else {
            store::only_named(query, single.kind, by.the_text("name")?)?
        };
        if let Some(row) = row.filter(|row| row.kind == single.kind) {
            self.found.singles.insert((single.id, tenant.id), row.id);
            self.level.push((&single.objects, vec![row.id]));
            self.found.rows.insert(row.id, FoundRow::Whole(Arc::new(row)));
        }
        Ok(())
    }

    fn page(&mut self, tenant: &TenantRow, page: &'p Page) -> Result<()> {
        let args = self.args(&page.asked)?;
        let find: Find = find_of(page.kind, &args)?;
        let first = page_length(args.int("first")?)?.unsigned_abs() as usize;
        let after: Option<Cursor> = match args.text("after")? {
            Some(cursor) => Some(find.place(cursor).ok_or(Unplanned::Error)?),
            None => None,
        };
        let query = &mut Query::new(self.session, tenant.id);
        let found = find.page(query, first, after.as_ref())?;
        let total = if page.total { find.count(query)? } else { 0 };
        self.spend(found.rows.len())?;
        let mut rows = Vec::with_capacity(found.rows.len());
        for (row, cursor) in found.rows {
            rows.push((row.id, cursor));
            self.found.rows.insert(row.id, FoundRow::Whole(row));
        }
        let ids = || rows.iter().map(|(id, _)| *id).collect::<Vec<_>>();
        for entry in &page.fields.0 {
            match &entry.what {
                OfPage::Nodes(objects) => self.level.push((objects, ids())),
                OfPage::Edges(edges) => {
                    for entry in &edges.0 {
                        if let OfEdge::Node(objects) = &entry.what {
                            self.level.push((objects, ids()));
                        }
                    }
                }
                OfPage::Typename(_) | OfPage::Info(_) | OfPage::Total => {}
            }
        }
        let price = if WALKING.iter().any(|name| args.given(name).is_some()) { WALK } else { 0 };
        let (more, behind) = (found.more, after.is_some());
        self.found.pages.insert((page.id, tenant.id), FoundPage { rows, more, behind, total, price });
        Ok(())
    }

    /// Reads one level of objects, and notes the next.
    fn objects(&mut self, level: Vec<(&'p Objects, Vec<ObjectId>)>) -> Result<()> {
        let mut wanted: Vec<ObjectId> = Vec::new();
        for (objects, ids) in &level {
            if objects.needs_rows {
                wanted.extend(ids.iter().filter(|id| !self.found.rows.contains_key(id)));
            }
        }
        wanted.sort_unstable();
        wanted.dedup();
        if !wanted.is_empty() {
            self.batches.push(("object", wanted.len()));
            for (tenant, ids) in by_tenant(&wanted) {
                own_rows(&mut Query::new(self.session, tenant), self.columns, &ids, &mut self.found)?;
            }
        }
        let mut shapes: Vec<(&'p Shape, Vec<ObjectId>)> = Vec::new();
        for (objects, mut ids) in level {
            ids.sort_unstable();
            ids.dedup();
            if let [only] = objects.shapes.as_slice() {
                // Of one by its id it is known only now whether it is there, and what it is.
                if objects.needs_rows {
                    let fits = |id: &ObjectId| {
                        self.found.rows.get(id).is_some_and(|row| only.kind.is_none_or(|kind| kind == row.kind()))
                    };
                    ids.retain(fits);
                }
                shapes.push((only, ids));
                continue;
            }
            for shape in &objects.shapes {
                let has_it = |id: &&ObjectId| {
                    let kind = self.found.rows.get(id).map(FoundRow::kind);
                    kind.and_then(|kind| objects.shape(Some(kind))).is_some_and(|own| std::ptr::eq(own, shape))
                };
                shapes.push((shape, ids.iter().filter(has_it).copied().collect()));
            }
        }
        shapes.retain(|(_, ids)| !ids.is_empty());
        for (shape, ids) in &shapes {
            for entry in &shape.fields.0 {
                if let OfObject::Worked(at, worked) = &entry.what {
                    self.work_all(*at, worked, ids)?;
                }
            }
        }
        self.load(&shapes)?;
        shapes.iter().try_for_each(|(shape, ids)| self.shape(shape, ids))
    }

    /// Reads the sections or details of objects: of each tenant in one go.
    fn load(&mut self, shapes: &[(&'p Shape, Vec<ObjectId>)]) -> Result<()> {
        let mut of_tenants: Vec<(TenantId, Vec<&'p Reading>, Vec<Wanted<'p>>)> = Vec::new();
        for (shape, ids) in shapes {
            let Some(reading) = &shape.reading else { continue };
            self.batches.extend(reading.chosen.infos.iter().map(|info| (info.table, ids.len())));
            for (tenant, ids) in by_tenant(ids) {
                let wanted = Wanted { chosen: &reading.chosen, ids: ids.into_iter().collect() };
                match of_tenants.iter_mut().find(|(known, ..)| *known == tenant) {
                    Some((_, readings, all)) => {
                        readings.push(reading);
                        all.push(wanted);
                    }
                    None => of_tenants.push((tenant, vec![reading], vec![wanted])),
                }
            }
        }
        let Self { session, found, .. } = self;
        for (tenant, readings, wanted) in of_tenants {
            for reading in &readings {
                let loaded = found.loaded.get_mut(reading.id).ok_or(Unplanned::Error)?;
                loaded.lists.resize_with(reading.lists.len(), LoadedList::default);
            }
            store::read_chosen(&mut Query::new(*session, tenant), &wanted, &mut |at, list, columns| {
                let reading = readings.get(at).copied();
                let loaded = reading.and_then(|reading| found.loaded.get_mut(reading.id));
                let missing = || StoreError::Bug("what is read has no place".into());
                let (reading, loaded) = reading.zip(loaded).ok_or_else(missing)?;
                put_row(reading, loaded, (tenant, list), columns)
            })?;
        }
        Ok(())
    }

    /// Notes what objects lead to.
    fn shape(&mut self, shape: &'p Shape, ids: &[ObjectId]) -> Result<()> {
        let Some(reading) = &shape.reading else { return Ok(()) };
        for entry in &shape.fields.0 {
            match &entry.what {
                OfObject::Typename(_) | OfObject::Row(_) | OfObject::Worked(..) => {}
                OfObject::Section(values) => {
                    for entry in &values.0 {
                        self.value(reading, &entry.what, ids)?;
                    }
                }
                OfObject::Detail(value) => self.value(reading, value, ids)?,
            }
        }
        Ok(())
    }

    /// Notes what a value of some objects leads to.
    fn value(&mut self, reading: &Reading, value: &'p Value, ids: &[ObjectId]) -> Result<()> {
        let loaded = self.found.loaded.get(reading.id).ok_or(Unplanned::Error)?;
        let (mut spent, mut next) = (0, Vec::new());
        let list = |at: usize| loaded.lists.get(at).ok_or(Unplanned::Error);
        match value {
            Value::Typename(_) | Value::Cell(_) | Value::Many(_) => {}
            Value::Ids(at) => {
                let list = list(*at)?;
                spent += ids.iter().map(|id| list.rows(*id).len()).sum::<usize>();
            }
            Value::One(at, objects) => {
                let width = reading.leads.len();
                let lead = |id: &ObjectId| {
                    let local = loaded.table.lead(loaded.index.get(id)? * width + at)?;
                    Some(ObjectId { tenant: id.tenant, local })
                };
                let led: Vec<_> = ids.iter().filter_map(lead).collect();
                spent += led.len();
                next.push((objects, led));
            }
            Value::All(at, objects) => {
                let list = list(*at)?;
                let led: Vec<_> = ids.iter().flat_map(|id| list.ids(*id)).collect();
                spent += led.len();
                next.push((objects, led));
            }
            Value::Steps(at, fields) => {
                let list = list(*at)?;
                spent += ids.iter().map(|id| list.rows(*id).len()).sum::<usize>();
                for entry in &fields.0 {
                    if let Step::Object(objects) = &entry.what {
                        let led: Vec<_> = ids.iter().flat_map(|id| list.ids(*id)).collect();
                        spent += led.len();
                        next.push((objects, led));
                    }
                }
            }
            Value::Entries(at, fields) => {
                let (list, width) = (list(*at)?, reading.lists.get(*at).map_or(0, List::leads));
                spent += ids.iter().map(|id| list.rows(*id).len()).sum::<usize>();
                for entry in &fields.0 {
                    let Value::One(lead, objects) = &entry.what else { continue };
                    let mut led = Vec::new();
                    for id in ids {
                        let locals = list.rows(*id).filter_map(|row| list.table.lead(row * width + lead));
                        led.extend(locals.map(|local| ObjectId { tenant: id.tenant, local }));
                    }
                    spent += led.len();
                    next.push((objects, led));
                }
            }
        }
        self.level.extend(next);
        self.spend(spent)
    }
}

impl List {
    /// How many ids of an entry are followed.
    pub fn leads(&self) -> usize {
        match &self.entries {
            Entries::Ids | Entries::Steps => 1,
            Entries::Objects { leads, .. } => leads.len(),
        }
    }

    /// How many values of an entry are kept.
    pub fn cells(&self) -> usize {
        match &self.entries {
            Entries::Ids => 0,
            Entries::Steps => STEP,
            Entries::Objects { cells, .. } => cells.len(),
        }
    }
}

/// How many values a destination has: object, number and cause.
const STEP: usize = 3;

/// What stands for a tenant among objects.
pub(super) fn of_tenant(row: &TenantRow) -> ObjectId {
    ObjectId { tenant: row.id, local: 0 }
}

/// The local ids of sorted ids, by tenant.
pub(super) fn by_tenant(ids: &[ObjectId]) -> Vec<(TenantId, Vec<i64>)> {
    let tenants = ids.chunk_by(|a, b| a.tenant == b.tenant);
    tenants.filter_map(|ids| Some((ids.first()?.tenant, ids.iter().map(|id| id.local).collect()))).collect()
}

/// Reads the own rows of objects of one tenant.
fn own_rows(query: &mut Query<'_>, columns: &[OfRow], ids: &[i64], found: &mut Found) -> store::Result<()> {
    let (tenant, ids) = (query.tenant(), ids.iter().copied().collect());
    let names: Vec<_> = columns.iter().map(|column| column.name()).collect();
    store::scan_objects(query, &ids, &names, &mut |row| {
        let kind = row.get(1)?.text().and_then(Kind::of);
        let kind = kind.ok_or_else(|| StoreError::Corrupt("an object is of no kind".into()))?;
        found.rows.insert(ObjectId { tenant, local: row.int(0)? }, FoundRow::Part(kind, found.own_rows));
        found.own_rows += 1;
        for (at, column) in columns.iter().enumerate() {
            column
                .write(row.get(at + 2)?, &mut found.own.json)
                .map_err(|p| StoreError::from(p.under(column.name())))?;
            found.own.ends.push(found.own.json.len());
        }
        Ok(())
    })
}

/// Keeps a row of sections or a detail, or of one of the lists there.
fn put_row(
    reading: &Reading,
    loaded: &mut Loaded,
    (tenant, list): (TenantId, Option<&ChosenList>),
    columns: &dyn Columns,
) -> store::Result<()> {
    let id = ObjectId { tenant, local: columns.int(0)? };
    let Some(statement) = list else {
        loaded.index.insert(id, loaded.index.len());
        loaded.table.put(columns, &reading.cells, tenant)?;
        return loaded.table.lead_to(columns, &reading.leads);
    };
    let slot = columns.get(1)?.text().unwrap_or_default();
    for (list, loaded) in reading.lists.iter().zip(&mut loaded.lists) {
        if list.slot == slot && list.table == statement.table {
            put(loaded, list, id, columns)?;
        }
    }
    Ok(())
}

fn put(loaded: &mut LoadedList, list: &List, id: ObjectId, columns: &dyn Columns) -> store::Result<()> {
    let rows = loaded.index.entry(id).or_insert(loaded.rows..loaded.rows);
    loaded.rows += 1;
    rows.end = loaded.rows;
    match &list.entries {
        Entries::Ids => loaded.table.lead_to(columns, &[ENTRY]),
        Entries::Objects { cells, leads } => {
            loaded.table.put(columns, cells, id.tenant)?;
            loaded.table.lead_to(columns, leads)
        }
        Entries::Steps => step(&mut loaded.table, id.tenant, columns),
    }
}

/// Keeps a destination: its three values, of which two are null, and the object that it leads to.
fn step(table: &mut Table, tenant: TenantId, columns: &dyn Columns) -> store::Result<()> {
    let values = (ENTRY..ENTRY + STEP).map(|at| columns.get(at)).collect::<store::Result<Vec<_>>>()?;
    let row = values.iter().map(|value| domain::Value::from(*value)).collect();
    let target = Destination::load(row, tenant).map_err(StoreError::from)?;
    let [object, number, hangup] = match target.target() {
        DestinationTarget::Object(object) => [Some(json_of(|json| object.write(json))), None, None],
        DestinationTarget::Number(number) => [None, Some(json_of(|json| json::write(number.as_str(), json))), None],
        DestinationTarget::Hangup(cause) => [None, None, Some(json_of(|json| json::write(cause.word(), json)))],
    };
    for value in [object, number, hangup] {
        table.json.extend_from_slice(value.as_deref().unwrap_or(b"null"));
        table.ends.push(table.json.len());
    }
    table.leads.push(target.leads_to().map_or(NOTHING, |object| object.local));
    Ok(())
}

fn json_of(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut json = Vec::new();
    write(&mut json);
    json
}
