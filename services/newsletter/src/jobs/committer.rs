//! Commits the steps of all deliveries under way together: while one transaction runs, the next steps gather.

use std::{
    collections::{HashSet, VecDeque},
    time::Duration,
};

use rapport_core::Failure;
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, timeout_at},
};

use super::Work;
use crate::app::{
    Failed,
    ledger::{self, Step, Stepped},
};

/// The most steps in one transaction.
const GROUP: usize = 256;
/// How long the outcome of an attempt is kept to be written when the database does not take it. After that, the lease has run
/// out long since and the delivery is UNKNOWN, which is true.
const PATIENCE: u32 = 60;

/// How long outcomes wait for an attempt to be committed with them: about as long as a mail server nearby takes to be told of a letter.
const LINGER: Duration = Duration::from_millis(5);

type Asked = (Step, oneshot::Sender<Stepped>);

/// Takes steps to be committed.
#[derive(Clone)]
pub struct Committer(mpsc::Sender<Asked>);

impl Committer {
    /// A committer, and its work, which ends when the last clone is gone.
    pub fn new(work: Work) -> (Self, impl Future<Output = ()> + Send) {
        let (sender, receiver) = mpsc::channel(4 * GROUP);
        (Self(sender), run(work, receiver))
    }

    /// Commits a step; none when it could not be committed: then nothing of it is stored.
    pub async fn step(&self, step: Step) -> Option<Stepped> {
        self.post(step).await?.await.ok()
    }

    /// Hands a step over to be committed after all that were handed over before; what comes tells when it is, or ends when it cannot.
    pub async fn post(&self, step: Step) -> Option<oneshot::Receiver<Stepped>> {
        let (answer, answered) = oneshot::channel();
        self.0.send((step, answer)).await.ok()?;
        Some(answered)
    }
}

async fn run(work: Work, mut receiver: mpsc::Receiver<Asked>) {
    let mut waiting: VecDeque<Asked> = VecDeque::new();
    while let Some(first) = if waiting.is_empty() { receiver.recv().await } else { waiting.pop_front() } {
        // Nobody waits for outcomes, but the attempts that come next wait for their commit: so they share one.
        if waiting.is_empty() && matches!(first.0, Step::End(_)) {
            linger(&mut receiver, &mut waiting).await;
        }
        let mut group = vec![first];
        let mut later = Vec::new();
        // One step of a delivery per transaction: a second one rests on the first.
        let mut seen: HashSet<_> = group.iter().map(|(step, _)| step.held().delivery).collect();
        let gathered = waiting.drain(..).chain(std::iter::from_fn(|| receiver.try_recv().ok())).take(GROUP - 1);
        for asked in gathered {
            if seen.insert(asked.0.held().delivery) { group.push(asked) } else { later.push(asked) }
        }
        waiting.extend(later);
        commit(&work, group).await;
    }
}

/// Gathers more outcomes until somebody's attempt is to begin, for some milliseconds.
async fn linger(receiver: &mut mpsc::Receiver<Asked>, waiting: &mut VecDeque<Asked>) {
    let until = Instant::now() + LINGER;
    while waiting.len() < GROUP
        && let Ok(Some(asked)) = timeout_at(until, receiver.recv()).await
    {
        let outcome = matches!(asked.0, Step::End(_));
        waiting.push_back(asked);
        if !outcome {
            break;
        }
    }
}

/// Commits a group; when it cannot be committed as one, each step alone, so that one bad row spoils nothing else.
async fn commit(work: &Work, group: Vec<Asked>) {
    let steps: Vec<Step> = group.iter().map(|(step, _)| step.clone()).collect();
    match store(work, &steps).await {
        Ok(done) => {
            for ((_, answer), stepped) in group.into_iter().zip(done) {
                let _ = answer.send(stepped);
            }
        }
        Err(failure) => {
            tracing::warn!(%failure, steps = steps.len(), "steps of deliveries could not be committed together; trying each alone");
            for (step, answer) in group {
                if let Some(stepped) = alone(work, &step).await {
                    let _ = answer.send(stepped);
                }
            }
        }
    }
}

/// Commits one step. A start is given up at once, because its letter waits for it; an outcome is kept for a while.
async fn alone(work: &Work, step: &Step) -> Option<Stepped> {
    for attempt in 1..=PATIENCE {
        match store(work, std::slice::from_ref(step)).await {
            Ok(done) => return done.first().copied(),
            Err(failure) if matches!(step, Step::End(_)) => {
                tracing::warn!(%failure, attempt, delivery = %step.held().delivery, "the outcome of a delivery could not be committed");
                let passing = matches!(failure, Failure::Unavailable { .. });
                tokio::time::sleep(if passing { Duration::from_secs(1) } else { Duration::from_millis(200) }).await;
            }
            Err(failure) => {
                tracing::warn!(%failure, delivery = %step.held().delivery, "a step of a delivery could not be committed");
                return None;
            }
        }
    }
    tracing::error!(delivery = %step.held().delivery, "the outcome of a delivery was not committed: it will be UNKNOWN");
    None
}

async fn store(work: &Work, steps: &[Step]) -> Result<Vec<Stepped>, Failed> {
    let cx = work.context();
    work.database.write_by_key(async |conn| ledger::step(conn, &cx, &work.keys, steps).await).await
}
