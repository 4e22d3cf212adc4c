//! Hands letters over: leases what is due, several letters at a time, each with its attempt committed before its final dot
//! leaves. A site or a recipient that stalls holds up nobody else.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use rapport_core::{Failure, IssueId};
use rapport_telemetry::{
    meter::{self, KeyValue},
    names, propagate, service,
};
use tokio::{
    task::{Id, JoinError, JoinSet},
    time::{Instant, interval, sleep, sleep_until},
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
    app::{
        claim::{self, Claim, Claimed, Work as Leased},
        ledger::{self, Step, Stepped},
    },
    domain::{Courtesy, Held, Refused, Reply, Report, SiteLimits, SmtpPhase, Verdict, outcome::courtesy},
    mail::{End, Transport},
};

/// How long letters under way may take to end when the service stops; what has not ended then is recovered at the next start.
const GRACE: Duration = Duration::from_secs(5);
/// A letter under way for so many times as long as usual takes no room from others: whom it is for does not answer.
const UNUSUAL: u32 = 4;
/// One under way for longer takes none, whatever is usual; one for less takes its room.
const SLOW: Duration = Duration::from_secs(1);
const QUICK: Duration = Duration::from_millis(100);
/// How many letters are leased, for each that may be under way, before it is their turn.
const AHEAD: usize = 16;
/// At least as many are.
const FEW: usize = 32;
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
    let dispatcher = Dispatcher { work, worker, leases, committer, writer: Arc::default(), stop };
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
    writer: Arc<letter::Writer>,
    stop: CancellationToken,
}

impl Dispatcher {
    async fn dispatch(&self) {
        let settings = &self.work.settings;
        let (at_a_time, rest) = (settings.letters_at_a_time, Duration::from_millis(settings.dispatcher_rest_milliseconds));
        let mut desk = Desk::new(at_a_time, Sites::new(settings.site_limits()));
        let mut claims: JoinSet<Claimed> = JoinSet::new();
        // Whether there may be something to lease.
        let mut hungry = true;
        while !self.stop.is_cancelled() {
            while let Some(ended) = desk.tasks.try_join_next_with_id() {
                self.arrived(&mut desk, ended).await;
                hungry = true;
            }
            for Waiting { site, leased, slot } in desk.ready() {
                let clerk = self.clerk();
                desk.spawn(site, slot, async move { clerk.deliver(leased, slot).await });
            }
            let wanted = desk.wanted();
            if hungry && claims.is_empty() && wanted > 0 {
                hungry = false;
                claims.spawn(self.claim(wanted, desk.sites.room(), desk.sites.limits()));
            }
            tokio::select! {
                () = self.stop.cancelled() => {}
                Some(claimed) = claims.join_next() => {
                    let Claimed { work, more } = claimed.unwrap_or_default();
                    hungry |= more;
                    desk.take(work);
                }
                Some(ended) = desk.tasks.join_next_with_id() => {
                    self.arrived(&mut desk, ended).await;
                    hungry = true;
                }
                () = self.work.bells.mailed() => hungry = true,
                () = sleep(rest) => hungry = true,
            }
        }
        // What was leased a moment ago and not begun is given back; what is under way may end.
        while let Some(claimed) = claims.join_next().await {
            desk.take(claimed.unwrap_or_default().work);
        }
        self.give_back(desk.waiting.drain(..)).await;
        let _ = tokio::time::timeout(GRACE, async { while desk.tasks.join_next().await.is_some() {} }).await;
    }

    /// Takes note of a letter that has ended. When its issue was paused or cancelled, the letters of it that wait for their turn are not
    /// begun: each would break a connection before its dot.
    async fn arrived(&self, desk: &mut Desk, ended: Result<(Id, Ended), JoinError>) {
        if let Some(issue) = desk.arrived(ended) {
            let recalled = desk.recall(issue);
            self.give_back(recalled).await;
        }
    }

    async fn give_back(&self, waiting: impl IntoIterator<Item = Waiting>) {
        for Waiting { leased, .. } in waiting {
            self.leases.drop(leased.delivery.id);
            self.committer.post(Step::Release(leased.held)).await;
        }
    }

    fn clerk(&self) -> Clerk {
        Clerk {
            work: self.work.clone(),
            leases: self.leases.clone(),
            committer: self.committer.clone(),
            writer: Arc::clone(&self.writer),
            stop: self.stop.clone(),
        }
    }

    /// Leases this many letters at most; none when that fails, which is told.
    fn claim(
        &self,
        room: usize,
        Room { known: sites, other: other_sites }: Room,
        limits: Arc<SiteLimits>,
    ) -> impl Future<Output = Claimed> + Send + use<> {
        let (work, leases) = (self.work.clone(), self.leases.clone());
        let claim = Claim { worker: self.worker.clone(), room, sites, other_sites, limits, lease: work.settings.lease() };
        async move {
            let cx = work.context();
            let until = Instant::now() + claim.lease;
            let claimed = work.database.write(async |conn| claim::claim(conn, &cx, &work.keys, &claim).await).await;
            let claimed = claimed.unwrap_or_else(|failure| {
                tracing::warn!(%failure, "deliveries could not be leased; trying again");
                Claimed::default()
            });
            for leased in &claimed.work {
                leases.take(leased.delivery.id, until);
            }
            claimed
        }
    }
}

/// How a letter ended.
struct Ended {
    /// What that tells of its site.
    courtesy: Courtesy,
    /// The issue that does not go on.
    stopped: Option<IssueId>,
}

/// A leased letter, the site that it goes to, and when its slot is.
struct Waiting {
    site: String,
    leased: Leased,
    slot: Instant,
}

/// The letters that were leased: those that wait for their turn, those under way, and the sites that they go to.
struct Desk {
    at_a_time: usize,
    waiting: VecDeque<Waiting>,
    tasks: JoinSet<Ended>,
    begun: HashMap<Id, (String, Instant)>,
    sites: Sites,
    /// How long letters that were taken are under way, an average in which the last ones count most.
    usual: Duration,
}

impl Desk {
    fn new(at_a_time: usize, sites: Sites) -> Self {
        let (waiting, begun) = (VecDeque::new(), HashMap::new());
        Self { at_a_time, waiting, tasks: JoinSet::new(), begun, sites, usual: SLOW }
    }

    /// How many letters are to be leased now, so that one is at hand whenever another has left.
    fn wanted(&self) -> usize {
        let ahead = (AHEAD * self.at_a_time).max(FEW);
        if self.waiting.len() > ahead / 2 { 0 } else { ahead - self.waiting.len() }
    }

    fn take(&mut self, claimed: Vec<Leased>) {
        let now = Instant::now();
        for leased in claimed {
            let site = leased.delivery.email.domain().to_lowercase();
            self.sites.queue(&site, now);
            let slot = now + leased.wait;
            self.waiting.push_back(Waiting { site, leased, slot });
        }
    }

    /// Takes the letters whose turn it is.
    fn ready(&mut self) -> Vec<Waiting> {
        let slow = (self.usual * UNUSUAL).clamp(QUICK, SLOW);
        let quick = self.begun.values().filter(|(_, begun)| begun.elapsed() < slow).count();
        let all = (self.at_a_time * WITH_SLOW).saturating_sub(self.tasks.len());
        let room = self.at_a_time.saturating_sub(quick).min(all);
        let mut ready = Vec::new();
        if room == 0 {
            return ready;
        }
        for waiting in std::mem::take(&mut self.waiting) {
            if ready.len() < room && self.sites.begin(&waiting.site) {
                ready.push(waiting);
            } else {
                self.waiting.push_back(waiting);
            }
        }
        ready
    }

    /// A letter that waits for its slot is not slow: its time counts from there.
    fn spawn(&mut self, site: String, slot: Instant, letter: impl Future<Output = Ended> + Send + 'static) {
        self.begun.insert(self.tasks.spawn(letter).id(), (site, slot.max(Instant::now())));
    }

    /// Takes note of a letter that has ended; answers the issue that does not go on, if that was why.
    fn arrived(&mut self, ended: Result<(Id, Ended), JoinError>) -> Option<IssueId> {
        let (id, Ended { courtesy, stopped }) = match ended {
            Ok(ended) => ended,
            Err(error) => {
                tracing::error!(%error, "the task of a delivery failed; its lease will run out");
                (error.id(), Ended { courtesy: Courtesy::Neither, stopped: None })
            }
        };
        if let Some((site, begun)) = self.begun.remove(&id) {
            if courtesy == Courtesy::Welcome {
                self.usual = (self.usual * 15 + begun.elapsed()) / 16;
            }
            self.sites.end(&site, begun, courtesy, Instant::now());
        }
        stopped
    }

    /// Takes away the letters of an issue that wait for their turn.
    fn recall(&mut self, issue: IssueId) -> Vec<Waiting> {
        let mut recalled = Vec::new();
        for waiting in std::mem::take(&mut self.waiting) {
            if waiting.leased.delivery.issue == Some(issue) {
                self.sites.unqueue(&waiting.site);
                recalled.push(waiting);
            } else {
                self.waiting.push_back(waiting);
            }
        }
        recalled
    }
}

/// Hands over one letter.
struct Clerk {
    work: Work,
    leases: Leases,
    committer: Committer,
    writer: Arc<letter::Writer>,
    stop: CancellationToken,
}

impl Clerk {
    async fn deliver(&self, leased: Leased, slot: Instant) -> Ended {
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
        let (begun, issue) = (slot.max(Instant::now()), leased.delivery.issue);
        let ended = self.hand_over(leased, slot).instrument(span).await;
        let Some((verdict, courtesy)) = ended else { return Ended { courtesy: Courtesy::Neither, stopped: issue } };
        let outcome = [KeyValue::new(names::RAPPORT_DELIVERY_OUTCOME, verdict.to_string())];
        meter::counter(names::MAIL_DELIVERIES).add(1, &outcome);
        meter::histogram(names::MAIL_SEND_DURATION).record(begun.elapsed().as_secs_f64(), &outcome);
        Ended { courtesy, stopped: None }
    }

    /// What the attempt led to and what it tells of the site; none when nothing was tried.
    async fn hand_over(&self, leased: Leased, slot: Instant) -> Option<(Verdict, Courtesy)> {
        let held = leased.held.clone();
        let before = |verdict, text: String| End { phase: SmtpPhase::Connect, verdict, reply: Reply::without(text) };
        let public_url = self.work.host.public_url(NAME);
        let house = letter::House { keys: &self.work.keys, signers: &self.work.signers, public_url: &public_url };
        let letter = match self.writer.write(&leased, house, held.start_time) {
            Ok(letter) => letter,
            Err(why) => return self.note(held, None, before(Verdict::Failed, why)).await,
        };
        let Some(transport) = self.work.transports.get(&leased.sender.transport) else {
            let why = format!("the settings have no transport {:?}: add newsletter.transport.{0}", leased.sender.transport);
            return self.note(held, None, before(Verdict::Deferred, why)).await;
        };
        sleep_until(slot).await;
        let prepared = match transport.prepare(&letter).await {
            Ok(prepared) => prepared,
            Err(ended) => return self.note(held, None, ended).await,
        };
        if self.stop.is_cancelled() || !self.leases.good(held.delivery) {
            drop(prepared);
            self.settle(Step::Release(held)).await;
            return None;
        }
        let Some(Stepped::Go(number)) = self.start(&held, transport).await else {
            // Dropped before its dot: the letter was not sent.
            drop(prepared);
            self.settle(Step::Release(held)).await;
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
        self.settle(Step::End(Report { held, in_flight, phase, verdict, reply })).await;
        Some((verdict, courtesy))
    }

    /// Hands the last step of an attempt to the committer. The next letter need not wait until it is stored: steps are committed in
    /// their order, so its dot, which is committed before it leaves, leaves after this.
    async fn settle(&self, step: Step) {
        let (id, leases) = (step.held().delivery, self.leases.clone());
        let Some(stored) = self.committer.post(step).await else { return leases.drop(id) };
        // Until then the lease is renewed.
        tokio::spawn(async move {
            let _ = stored.await;
            leases.drop(id);
        });
    }
}
