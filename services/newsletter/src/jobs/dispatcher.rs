//! Hands letters over: leases what is due, several letters at a time, each with its attempt committed before its final dot
//! leaves. A site or a recipient that stalls holds up nobody else.

use std::{collections::HashMap, time::Duration};

use rapport_core::Failure;
use rapport_telemetry::{
    meter::{self, KeyValue},
    names, propagate, service,
};
use tokio::{
    task::{Id, JoinError, JoinSet},
    time::{Instant, interval, sleep},
};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::{
    Work,
    committer::Committer,
    leases::Leases,
    letter,
    sites::{Room, Sites},
};
use crate::{
    NAME,
    app::ledger::{self, Claim, Step, Stepped},
    domain::{Courtesy, Held, Refused, Reply, Report, SmtpPhase, Verdict, outcome::courtesy},
    mail::{End, Transport},
};

/// How long letters under way may take to end when the service stops; what has not ended then is recovered at the next start.
const GRACE: Duration = Duration::from_secs(5);
/// A letter under way for longer takes no room from others: whom it is for does not answer.
const SLOW: Duration = Duration::from_secs(1);
/// How many letters may be under way, with those that are slow, for each that may be without.
const WITH_SLOW: usize = 10;

/// Hands over until it is told to stop.
///
/// # Errors
/// When what a crash left cannot be recovered: nothing is handed over before that.
pub async fn run(work: Work, stop: CancellationToken) -> Result<(), Failure<Refused>> {
    let worker = format!("{NAME}-{}", work.world.ids.fresh().simple());
    // One process has a SQLite file, so nobody else can hold a lease in it. On PostgreSQL leases of others run out.
    let alone = work.database.system() == "sqlite";
    while recover(&work, alone).await? == RECOVER {}
    let (committer, committing) = Committer::new(work.clone());
    let committing = tokio::spawn(committing);
    let leases = Leases::default();
    let mut helpers = JoinSet::new();
    helpers.spawn(renew(work.clone(), worker.clone(), leases.clone()));
    let dispatcher = Dispatcher { work, worker, leases, committer, stop };
    dispatcher.dispatch().await;
    // Whatever is to be committed still is: the committer ends when nobody can ask it any more.
    drop(dispatcher);
    let _ = committing.await;
    Ok(())
}

/// How many lost deliveries are recovered in one transaction.
const RECOVER: usize = 500;

async fn recover(work: &Work, all: bool) -> Result<usize, Failure<Refused>> {
    let cx = work.context();
    work.database.write(async |conn| ledger::recover(conn, &cx, &work.keys, all, RECOVER as i64).await).await
}

/// Renews the leases of letters under way, three times in the life of a lease.
async fn renew(work: Work, worker: String, leases: Leases) {
    let lease = work.settings.lease();
    let mut ticks = interval(lease / 3);
    loop {
        ticks.tick().await;
        let asked = leases.held();
        if asked.is_empty() {
            continue;
        }
        let until = Instant::now() + lease;
        match work.database.write(async |conn| ledger::renew(conn, &worker, &asked, lease).await).await {
            Ok(held) => leases.renewed(&held, &asked, until),
            Err(failure) => tracing::warn!(%failure, "leases could not be renewed"),
        }
    }
}

struct Dispatcher {
    work: Work,
    worker: String,
    leases: Leases,
    committer: Committer,
    stop: CancellationToken,
}

impl Dispatcher {
    async fn dispatch(&self) {
        let settings = &self.work.settings;
        let rest = Duration::from_millis(settings.dispatcher_rest_milliseconds);
        let mut letters = UnderWay::new(settings.letters_per_site);
        while !self.stop.is_cancelled() {
            while let Some(ended) = letters.tasks.try_join_next_with_id() {
                letters.arrived(ended);
            }
            let room = letters.room(settings.letters_at_a_time);
            let claimed = if room == 0 { 0 } else { self.claim(room, &mut letters).await };
            if claimed == room {
                // There is no room, or there may be more: again as soon as a letter has ended.
                tokio::select! {
                    () = self.stop.cancelled() => {}
                    Some(ended) = letters.tasks.join_next_with_id() => letters.arrived(ended),
                    () = sleep(rest) => {}
                }
                // A moment in which further letters end, so that one query leases for several.
                sleep(Duration::from_millis(2)).await;
                continue;
            }
            tokio::select! {
                () = self.stop.cancelled() => {}
                Some(ended) = letters.tasks.join_next_with_id(), if !letters.tasks.is_empty() => letters.arrived(ended),
                () = self.work.bells.mailed() => {}
                () = sleep(rest) => {}
            }
        }
        let _ = tokio::time::timeout(GRACE, async { while letters.tasks.join_next().await.is_some() {} }).await;
    }

    async fn claim(&self, room: usize, letters: &mut UnderWay) -> usize {
        let settings = &self.work.settings;
        let Room { known: sites, other: other_sites } = letters.sites.room();
        let claim = Claim { worker: self.worker.clone(), room, sites, other_sites, lease: settings.lease() };
        let cx = self.work.context();
        let until = Instant::now() + claim.lease;
        let claimed = match self.work.database.write(async |conn| ledger::claim(conn, &cx, &self.work.keys, &claim).await).await {
            Ok(claimed) => claimed,
            Err(failure) => {
                tracing::warn!(%failure, "deliveries could not be leased; trying again");
                return 0;
            }
        };
        let count = claimed.len();
        for leased in claimed {
            let site = leased.delivery.email.domain().to_lowercase();
            self.leases.take(leased.delivery.id, until);
            let clerk =
                Clerk { work: self.work.clone(), leases: self.leases.clone(), committer: self.committer.clone(), stop: self.stop.clone() };
            letters.spawn(site, async move { clerk.deliver(leased).await });
        }
        count
    }
}

/// The letters under way, and the sites that they go to.
struct UnderWay {
    tasks: JoinSet<Courtesy>,
    begun: HashMap<Id, (String, Instant)>,
    sites: Sites,
}

impl UnderWay {
    fn new(per_site: usize) -> Self {
        Self { tasks: JoinSet::new(), begun: HashMap::new(), sites: Sites::new(per_site) }
    }

    /// How many more letters may begin.
    fn room(&self, at_a_time: usize) -> usize {
        let quick = self.begun.values().filter(|(_, begun)| begun.elapsed() < SLOW).count();
        let all = (at_a_time * WITH_SLOW).saturating_sub(self.tasks.len());
        at_a_time.saturating_sub(quick).min(all)
    }

    fn spawn(&mut self, site: String, letter: impl Future<Output = Courtesy> + Send + 'static) {
        let now = Instant::now();
        self.sites.begin(&site, now);
        self.begun.insert(self.tasks.spawn(letter).id(), (site, now));
    }

    fn arrived(&mut self, ended: Result<(Id, Courtesy), JoinError>) {
        let (id, courtesy) = match ended {
            Ok(ended) => ended,
            Err(error) => {
                tracing::error!(%error, "the task of a delivery failed; its lease will run out");
                (error.id(), Courtesy::Neither)
            }
        };
        if let Some((site, begun)) = self.begun.remove(&id) {
            self.sites.end(&site, begun, courtesy, Instant::now());
        }
    }
}

/// Hands over one letter.
struct Clerk {
    work: Work,
    leases: Leases,
    committer: Committer,
    stop: CancellationToken,
}

impl Clerk {
    async fn deliver(&self, leased: ledger::Work) -> Courtesy {
        let span = tracing::info_span!(
            parent: None,
            names::SEND,
            otel.kind = "producer",
            { names::MESSAGING_SYSTEM } = "smtp",
            { names::MESSAGING_OPERATION_TYPE } = "send",
            { names::MESSAGING_DESTINATION_NAME } = leased.sender.transport.as_str(),
            { names::MESSAGING_MESSAGE_ID } = leased.delivery.mail_message_id.as_str(),
            { names::RAPPORT_JOURNEY_ID } = %leased.delivery.journey,
        );
        service::begin(&span, NAME);
        if let Some(traceparent) = &leased.delivery.traceparent {
            propagate::link(&span, traceparent);
        }
        let id = leased.delivery.id;
        let begun = Instant::now();
        let ended = self.hand_over(leased).instrument(span).await;
        self.leases.drop(id);
        let Some((verdict, courtesy)) = ended else { return Courtesy::Neither };
        let outcome = [KeyValue::new(names::RAPPORT_DELIVERY_OUTCOME, verdict.to_string())];
        meter::counter(names::MAIL_DELIVERIES).add(1, &outcome);
        meter::histogram(names::MAIL_SEND_DURATION).record(begun.elapsed().as_secs_f64(), &outcome);
        courtesy
    }

    /// What the attempt led to and what it tells of the site; none when nothing was tried.
    async fn hand_over(&self, leased: ledger::Work) -> Option<(Verdict, Courtesy)> {
        let held = leased.held.clone();
        let before = |verdict, text: String| End { phase: SmtpPhase::Connect, verdict, reply: Reply::without(text) };
        let public_url = self.work.host.public_url(NAME);
        let letter = match letter::write(&leased, &self.work.keys, &self.work.signers, &public_url, held.start_time) {
            Ok(letter) => letter,
            Err(why) => return self.note(held, None, before(Verdict::Failed, why)).await,
        };
        let Some(transport) = self.work.transports.get(&leased.sender.transport) else {
            let why = format!("the settings have no transport {:?}: add newsletter.transport.{0}", leased.sender.transport);
            return self.note(held, None, before(Verdict::Deferred, why)).await;
        };
        let prepared = match transport.prepare(&letter).await {
            Ok(prepared) => prepared,
            Err(ended) => return self.note(held, None, ended).await,
        };
        if self.stop.is_cancelled() || !self.leases.good(held.delivery) {
            drop(prepared);
            self.committer.step(Step::Release(held)).await;
            return None;
        }
        let Some(Stepped::Go(number)) = self.start(&held, transport).await else {
            // Dropped before its dot: the letter was not sent.
            drop(prepared);
            self.committer.step(Step::Release(held)).await;
            return None;
        };
        // Committing may have taken long.
        if !self.leases.good(held.delivery) {
            drop(prepared);
            let late = before(Verdict::Deferred, "the lease was about to run out before the final dot".into());
            let (verdict, _) = self.note(held, Some(number), End { phase: SmtpPhase::Data, ..late }).await?;
            return Some((verdict, Courtesy::Neither));
        }
        let ended = prepared.finish().await;
        self.note(held, Some(number), ended).await
    }

    async fn start(&self, held: &Held, transport: &Transport) -> Option<Stepped> {
        self.committer.step(Step::Start { held: held.clone(), repeatable: transport.repeatable() }).await
    }

    async fn note(&self, held: Held, in_flight: Option<i32>, End { phase, verdict, reply }: End) -> Option<(Verdict, Courtesy)> {
        let courtesy = courtesy(phase, verdict, &reply);
        self.committer.step(Step::End(Report { held, in_flight, phase, verdict, reply })).await;
        Some((verdict, courtesy))
    }
}
