//! Service reports: counting what has changed, and answering from what is counted.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use rapport_core::{AgentId, CommitmentId, CustomerId, CustomerType, Failure, InteractionId, SubjectId};
use rapport_db::{Conn, Fault, feed};

use super::Result;
use crate::{
    domain::{
        Commitment, Interaction, Refused,
        report::{Cell, Count, FORMULA, MAX_ROWS, Marks, Measures, ReportDimension, ReportQuery, ServiceReport, Sums, Zone},
    },
    store::{
        self,
        report::{Recount, State},
    },
};

/// Counts what changed since the last time, at most about `limit` changes of each sort; says whether there is more.
///
/// A row is counted as it stands, whatever the event tells: what was counted of it before is taken away. So nothing is counted
/// twice, whichever event comes twice, and counting everything anew is no more than looking at every row.
///
/// # Errors
/// When the database fails.
pub async fn count_changes(conn: &mut Conn<'_>, zone: &Zone, limit: i64) -> Result<bool> {
    let before = store::report::state_for_update(conn).await?;
    let extent = feed::extent(conn).await?;
    let mut state = before.clone();
    if lost(&state, &extent, zone) {
        state = State {
            epoch: extent.epoch,
            position: extent.head,
            formula: FORMULA,
            zone: zone.name().to_owned(),
            recount: Some(Recount::Interactions(None)),
        };
    }
    let touched = feed::touched(conn, state.position, limit).await?;
    let mut more = touched.len() as i64 == limit;
    let (mut interactions, mut promises) = (BTreeSet::new(), BTreeSet::new());
    for feed::Touched { position, kind, subject } in touched {
        state.position = position;
        if kind.starts_with("interaction.") {
            interactions.insert(subject.cast());
        } else if kind.starts_with("commitment.") {
            promises.insert(subject.cast());
        }
    }
    let asked = store::report::take_recounts(conn, limit).await?;
    more |= asked.len() as i64 == limit;
    interactions.extend(asked);
    let mut anew = Anew::default();
    if let Some(recount) = state.recount {
        (anew, state.recount) = next(conn, recount, limit).await?;
        more = true;
    }
    if interactions.is_empty() && promises.is_empty() && anew.is_empty() && state == before {
        return Ok(false);
    }
    recount(conn, zone, &interactions, &promises, anew).await?;
    store::report::update_state(conn, state).await?;
    Ok(more)
}

/// Whether it is not known any more what has changed since the last time.
fn lost(state: &State, extent: &feed::Extent, zone: &Zone) -> bool {
    let State { epoch, position, formula, zone: counted, recount: _ } = state;
    *epoch != extent.epoch || *position < extent.pruned || *formula != FORMULA || *counted != zone.name()
}

/// Rows to be counted anew.
#[derive(Default)]
struct Anew {
    interactions: Vec<Interaction>,
    promises: Vec<Commitment>,
}

impl Anew {
    const fn is_empty(&self) -> bool {
        self.interactions.is_empty() && self.promises.is_empty()
    }
}

/// The next rows to be counted anew, and where it goes on after them.
async fn next(conn: &mut Conn<'_>, recount: Recount, limit: i64) -> Result<(Anew, Option<Recount>)> {
    Ok(match recount {
        Recount::Interactions(after) => {
            let interactions = store::interaction::after(conn, after, limit).await?;
            let rest = match interactions.last() {
                Some(last) => Recount::Interactions(Some(last.id)),
                None => Recount::Promises(None),
            };
            (Anew { interactions, ..Anew::default() }, Some(rest))
        }
        Recount::Promises(after) => {
            let promises = store::commitment::after(conn, after, limit).await?;
            let rest = promises.last().map(|last| Recount::Promises(Some(last.id)));
            (Anew { promises, ..Anew::default() }, rest)
        }
    })
}

/// Counts these interactions with the promises made in them, and these promises.
async fn recount(
    conn: &mut Conn<'_>,
    zone: &Zone,
    interactions: &BTreeSet<InteractionId>,
    promises: &BTreeSet<CommitmentId>,
    anew: Anew,
) -> Result<()> {
    let ids: Vec<InteractionId> = interactions.iter().copied().collect();
    let mut rows: HashMap<InteractionId, Interaction> =
        store::interaction::find_many(conn, &ids).await?.into_iter().chain(anew.interactions).map(|row| (row.id, row)).collect();
    let changed: Vec<InteractionId> = rows.keys().copied().collect();
    let made = store::commitment::of_interactions(conn, &changed).await?;
    let named: Vec<CommitmentId> = promises.iter().copied().collect();
    let named = store::commitment::find_many(conn, &named).await?;
    let made: HashMap<CommitmentId, Commitment> =
        made.into_iter().chain(named).chain(anew.promises).map(|promise| (promise.id, promise)).collect();
    let around: HashSet<InteractionId> = made.values().filter_map(|promise| promise.interaction).collect();
    let around: Vec<InteractionId> = around.into_iter().filter(|id| !rows.contains_key(id)).collect();
    for row in store::interaction::find_many(conn, &around).await? {
        rows.insert(row.id, row);
    }
    let known = Known::load(conn, &rows, &made).await?;
    let mut counted: Vec<(SubjectId, Option<Count>)> = Vec::with_capacity(changed.len() + made.len());
    for id in changed {
        let row = &rows[&id];
        let documented = known.documented.contains(&id);
        counted.push((id.cast(), Count::of_interaction(row, documented, known.types(id.cast(), row.customer), zone)));
    }
    for promise in made.values() {
        counted.push((promise.id.cast(), Count::of_promise(promise, known.marks(promise, &rows), zone)));
    }
    Ok(store(conn, counted, &known.before).await?)
}

/// Stores what is counted now, and adds the difference to the cells.
async fn store(
    conn: &mut Conn<'_>,
    counted: Vec<(SubjectId, Option<Count>)>,
    before: &HashMap<SubjectId, Count>,
) -> std::result::Result<(), Fault> {
    let counted: Vec<_> = counted.into_iter().filter(|(subject, count)| before.get(subject) != count.as_ref()).collect();
    let mut changes: BTreeMap<Cell, Measures> = BTreeMap::new();
    for (subject, count) in &counted {
        for (count, times) in before.get(subject).map(|count| (count, -1)).into_iter().chain(count.as_ref().map(|count| (count, 1))) {
            for cell in count.cells() {
                changes.entry(cell).or_default().add(&count.measures, times);
            }
        }
    }
    changes.retain(|_, change| !change.is_nothing());
    store::report::put_counts(conn, counted).await?;
    let changes: Vec<(Cell, Measures)> = changes.into_iter().collect();
    store::report::add(conn, &changes).await
}

/// What is known beside the rows themselves.
struct Known {
    before: HashMap<SubjectId, Count>,
    documented: HashSet<InteractionId>,
    types: HashMap<CustomerId, BTreeSet<CustomerType>>,
    agents: HashMap<String, AgentId>,
}

impl Known {
    async fn load(
        conn: &mut Conn<'_>,
        rows: &HashMap<InteractionId, Interaction>,
        made: &HashMap<CommitmentId, Commitment>,
    ) -> std::result::Result<Self, Fault> {
        let subjects: Vec<SubjectId> = rows.keys().map(|id| id.cast()).chain(made.keys().map(|id| id.cast())).collect();
        let before = store::report::counts(conn, &subjects).await?.into_iter().collect();
        let solicited: Vec<InteractionId> = rows.values().filter(|row| row.feedback_solicited).map(|row| row.id).collect();
        let mut documented = store::remark::documented(conn, &solicited).await?;
        let names_one = |row: &&Interaction| row.conclusion.as_ref().is_some_and(|conclusion| !conclusion.remarks.is_empty());
        documented.extend(rows.values().filter(names_one).map(|row| row.id));
        let customers: BTreeSet<CustomerId> =
            rows.values().filter_map(|row| row.customer).chain(made.values().filter_map(|promise| promise.customer)).collect();
        let customers: Vec<CustomerId> = customers.into_iter().collect();
        let types = store::customer::types(conn, &customers).await?;
        let types = types.into_iter().map(|(customer, types)| (customer, types.into_iter().collect())).collect();
        let owners: BTreeSet<&str> = made.values().map(|promise| &*promise.owner).collect();
        let owners: Vec<&str> = owners.into_iter().collect();
        let agents = store::agent::by_handles(conn, &owners).await?.into_iter().collect();
        Ok(Self { before, documented, types, agents })
    }

    /// The types under which something is counted: those of its first count, unless nothing was known then or it is with another
    /// customer now.
    fn types(&self, subject: SubjectId, customer: Option<CustomerId>) -> BTreeSet<CustomerType> {
        let first =
            self.before.get(&subject).map(|count| &count.marks).filter(|marks| marks.customer == customer && !marks.types.is_empty());
        match (first, customer) {
            (Some(first), _) => first.types.clone(),
            (None, Some(customer)) => self.types.get(&customer).cloned().unwrap_or_default(),
            (None, None) => BTreeSet::new(),
        }
    }

    /// The marks of a promise: those of the interaction in which it was made, with the one of us who is to keep it.
    fn marks(&self, promise: &Commitment, rows: &HashMap<InteractionId, Interaction>) -> Marks {
        let types = self.types(promise.id.cast(), promise.customer);
        let marks = promise.interaction.and_then(|id| rows.get(&id)).map(|row| Marks::of(row, types.clone()));
        let marks = marks.unwrap_or_else(|| Marks { types, ..Marks::default() });
        let agent = self.agents.get(&promise.owner).copied().or(marks.agent);
        Marks { agent, customer: promise.customer, ..marks }
    }
}

/// Up to how many events are counted that the feed has not even ordered yet: there may be very many.
const COUNTED_UNSTAMPED: i64 = 10_000;

/// Answers a report.
///
/// # Errors
/// When it would have too many rows, or when the database fails.
pub async fn get_service_report(conn: &mut Conn<'_>, query: ReportQuery) -> Result<ServiceReport> {
    let query = query.rounded();
    let state = store::report::state(conn).await?;
    let extent = feed::extent(conn).await?;
    let mut sums = Sums::default();
    for (day, value, measures) in store::report::parts(conn, &query).await? {
        sums.add(value, query.period_of(day), &measures);
    }
    let mut rows = sums.rows();
    if rows.len() > MAX_ROWS {
        return Err(Failure::Refused(Refused::ReportTooLarge { rows: rows.len() }));
    }
    let mut total = Measures::default();
    let whole = ReportQuery { group_by: None, ..query.clone() };
    for (_, _, measures) in store::report::parts(conn, &whole).await? {
        total.add(&measures, 1);
    }
    if query.group_by == Some(ReportDimension::Agent) {
        let agents: Vec<AgentId> = rows.iter().filter_map(|row| row.value.parse().ok()).collect::<BTreeSet<_>>().into_iter().collect();
        let handles: HashMap<String, String> =
            store::agent::handles(conn, &agents).await?.into_iter().map(|(id, handle)| (id.to_string(), handle)).collect();
        for row in &mut rows {
            row.label = handles.get(&row.value).cloned().unwrap_or_default();
        }
    }
    let behind = if state.epoch == extent.epoch { extent.head - state.position } else { extent.head };
    let pending = behind + feed::unstamped(conn, COUNTED_UNSTAMPED).await? + store::report::recounts(conn).await?;
    let recounting = state.recount.is_some() || state.formula != FORMULA;
    Ok(ServiceReport { query, rows, total, pending, recounting })
}
