//! Hands letters over: leases what is due, several letters at a time, each with its attempt committed before its final dot
//! leaves. A site or a recipient that stalls holds up nobody else.

use std::{sync::Arc, time::Duration};

use rapport_core::Failure;
use tokio::{
    task::{Id, JoinError, JoinSet},
    time::{Instant, interval, sleep, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{
    Work,
    clerk::Clerk,
    committer::Committer,
    desk::{Desk, Ended, Waiting},
    leases::Leases,
    sites::{Room, Sites},
};
use crate::{
    NAME,
    app::{
        claim::{self, Claim, Claimed},
        ledger::{self, Step},
    },
    domain::{Refused, SiteLimits, sender::Route},
};

/// How long letters under way may take to end when the service stops; what has not ended then is recovered at the next start.
const GRACE: Duration = Duration::from_secs(5);

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
    let routes = Route::all(work.transports.keys().cloned());
    let clerk = Clerk { work, leases, committer, writer: Arc::default(), stop };
    let mut dispatchers = JoinSet::new();
    for route in routes {
        dispatchers.spawn(Dispatcher { route, worker: worker.clone(), clerk: clerk.clone() }.dispatch());
    }
    drop(clerk);
    dispatchers.join_all().await;
    // Whatever is to be committed still is: the committer ends when nobody can ask it any more.
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

/// Hands over the letters of one route, in rooms of its own: a mail server that does not answer takes no room from others.
struct Dispatcher {
    route: Route,
    worker: String,
    clerk: Clerk,
}

impl Dispatcher {
    async fn dispatch(self) {
        let Clerk { work, stop, .. } = &self.clerk;
        let settings = &work.settings;
        let (at_a_time, rest) = (settings.letters_at_a_time, Duration::from_millis(settings.dispatcher_rest_milliseconds));
        let mut desk = Desk::new(at_a_time, Sites::new(settings.site_limits()));
        let mut claims: JoinSet<Claimed> = JoinSet::new();
        // Whether there may be something to lease.
        let mut hungry = true;
        let mut bell = work.bells.mails();
        while !stop.is_cancelled() {
            while let Some(ended) = desk.tasks.try_join_next_with_id() {
                self.arrived(&mut desk, ended).await;
                hungry = true;
            }
            for Waiting { site, leased, slot } in desk.ready() {
                let clerk = self.clerk.clone();
                desk.spawn(site, slot, async move { clerk.deliver(leased, slot).await });
            }
            let wanted = desk.wanted();
            if hungry && claims.is_empty() && wanted > 0 {
                hungry = false;
                claims.spawn(self.claim(wanted, desk.sites.room(), desk.sites.limits()));
            }
            let slow_next = desk.slow_next();
            tokio::select! {
                () = stop.cancelled() => {}
                Some(claimed) = claims.join_next() => {
                    let Claimed { work, more } = claimed.unwrap_or_default();
                    hungry |= more;
                    desk.take(work);
                }
                Some(ended) = desk.tasks.join_next_with_id() => {
                    self.arrived(&mut desk, ended).await;
                    hungry = true;
                }
                Ok(()) = bell.changed() => hungry = true,
                Some(()) = slow(slow_next) => {}
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
            self.clerk.leases.drop(leased.delivery.id);
            self.clerk.committer.post(Step::Release(leased.held)).await;
        }
    }

    /// Leases this many letters at most; none when that fails, which is told.
    fn claim(
        &self,
        room: usize,
        Room { known: sites, other: other_sites }: Room,
        limits: Arc<SiteLimits>,
    ) -> impl Future<Output = Claimed> + Send + use<> {
        let (work, leases) = (self.clerk.work.clone(), self.clerk.leases.clone());
        let (worker, route, lease) = (self.worker.clone(), self.route.clone(), work.settings.lease());
        async move {
            let cx = work.context();
            let leasing = async {
                let senders = work.database.lookup(async |conn| claim::senders(conn, &route).await).await?;
                if senders.is_empty() {
                    return Ok((Claimed::default(), Instant::now()));
                }
                let claim = Claim { worker, senders, room, sites, other_sites, limits, lease };
                let until = Instant::now() + lease;
                let claimed = work.database.write(async |conn| claim::claim(conn, &cx, &work.keys, &claim).await).await?;
                Ok::<_, Failure<Refused>>((claimed, until))
            };
            let (claimed, until) = leasing.await.unwrap_or_else(|failure| {
                tracing::warn!(%failure, "deliveries could not be leased; trying again");
                (Claimed::default(), Instant::now())
            });
            for leased in &claimed.work {
                leases.take(leased.delivery.id, until);
            }
            claimed
        }
    }
}

/// Waits until then, if there is a then.
async fn slow(at: Option<Instant>) -> Option<()> {
    sleep_until(at?).await;
    Some(())
}
