//! The ledger in the database: a crash at any point loses nobody and mails nobody twice, and two workers never share a recipient.

mod control;
mod routes;
mod sites;
mod suppression;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use rapport_core::{Context, Failure, IssueId, SenderId};
use rapport_db::{Conn, Database, DatabaseSettings, Location};
use rapport_testkit::{Backend, TestDatabase, both_databases, world};

use super::{
    Failed,
    claim::{self, Claim, Work as Leased},
    freeze,
    issue::{self, CreateIssue},
    ledger::{self, Step, Stepped},
    publication::{self, CreatePublication, CreateSender},
};
use crate::{
    domain::{
        Audience, Cadence, Content, Counts, Facts, IssueState, Keys, OnUnknown, Proof, ProofKind, PublicationKind, Reply, Report,
        SiteLimit, SiteLimits, SmtpPhase, Subscriber, Subscription, Verdict, sender::Route,
    },
    store,
};

struct House {
    database: Database,
    cx: Context,
    keys: Keys,
    _data: TestDatabase,
}

impl House {
    async fn new(backend: Backend) -> Self {
        let data = backend.database().await;
        let location = match data.postgres() {
            Some(postgres) => Location::Postgres { url: postgres.url().to_owned(), schema: "newsletter".to_owned() },
            None => Location::File(data.file("newsletter")),
        };
        let database = Database::open(&DatabaseSettings::new(location), store::migrations()).await.expect("it opens");
        let cx = world().world.context(rapport_core::Caller::service("test"));
        Self { database, cx, keys: Keys::new(vec![7; 32], None), _data: data }
    }

    /// An issue whose audience of this many is frozen and that is being sent.
    async fn issue(&self, audience: usize) -> IssueId {
        self.issue_to(0..audience).await
    }

    /// The same to the readers of these numbers.
    async fn issue_to(&self, readers: std::ops::Range<usize>) -> IssueId {
        self.issue_by("outbox", readers).await.1
    }

    /// The same by a sender of this transport, whose id is given too.
    async fn issue_by(&self, transport: &str, readers: std::ops::Range<usize>) -> (SenderId, IssueId) {
        let (cx, keys) = (&self.cx, &self.keys);
        let (sender, publication, id) = (cx.fresh(), cx.fresh(), cx.fresh());
        self.database
            .write(async |conn| {
                let from_address = "news@shop.example".parse().expect("an address");
                let (reply_domain, bounce_domain) = ("shop.example".to_owned(), "shop.example".to_owned());
                let command = CreateSender {
                    id: sender,
                    from_name: "Shop".into(),
                    from_address,
                    reply_domain,
                    bounce_domain,
                    transport: transport.into(),
                    brand_name: String::new(),
                    brand_color: None,
                };
                publication::create_sender(conn, cx, command).await?;
                let command = CreatePublication {
                    id: publication,
                    display_name: "News".into(),
                    description: String::new(),
                    sender,
                    kind: PublicationKind::Newsletter,
                    cadence: Cadence::Weekly,
                    track_clicks: false,
                };
                publication::create_publication(conn, cx, command).await?;
                for number in readers.clone() {
                    subscribe(conn, cx, publication, number).await?;
                }
                let content = Content { subject: "News".into(), html: String::new(), text: "News".into(), ..Content::default() };
                let command = CreateIssue {
                    id,
                    publication,
                    content,
                    audience: Audience::default(),
                    on_unknown: OnUnknown::Hold,
                    give_up_after: Duration::from_secs(3600),
                };
                issue::create_issue(conn, cx, command).await?;
                issue::send_issue(conn, cx, id, None).await
            })
            .await
            .expect("stored");
        loop {
            let chunk = self.database.read(async |conn| freeze::next_chunk(conn, id).await).await.expect("read");
            let Some(chunk) = chunk else { return (sender, id) };
            if chunk.last {
                self.database.write(async |conn| freeze::start(conn, cx, id, chunk.after).await).await.expect("started");
                continue;
            }
            // The second time is what happens when a crash came between the commit and the answer.
            for _ in 0..2 {
                self.database
                    .write(async |conn| freeze::freeze_chunk(conn, cx, keys, &chunk, &Facts::default()).await)
                    .await
                    .expect("frozen");
            }
        }
    }

    async fn claim(&self, worker: &str, room: usize) -> Vec<Leased> {
        self.claim_within(worker, room, SiteLimits { named: BTreeMap::new(), other: SiteLimit { at_a_time: 100, per_minute: 0 } }).await
    }

    async fn claim_within(&self, worker: &str, room: usize, limits: SiteLimits) -> Vec<Leased> {
        self.claim_of(&Route::By("outbox".to_owned()), worker, room, limits).await
    }

    async fn claim_of(&self, route: &Route, worker: &str, room: usize, limits: SiteLimits) -> Vec<Leased> {
        let senders = self.database.lookup(async |conn| claim::senders(conn, route).await).await.expect("read");
        let (worker, sites, limits, lease) = (worker.to_owned(), BTreeMap::new(), Arc::new(limits), Duration::from_secs(3600));
        let claim = Claim { worker, senders, room, sites, other_sites: 100, limits, lease };
        self.database.write(async |conn| claim::claim(conn, &self.cx, &self.keys, &claim).await).await.expect("leased").work
    }

    async fn step(&self, steps: &[Step]) -> Vec<Stepped> {
        self.database.write(async |conn| ledger::step(conn, &self.cx, &self.keys, steps).await).await.expect("committed")
    }

    /// The counters, which are those of the rows.
    async fn counts(&self, id: IssueId) -> Counts {
        let (kept, rows) = self
            .database
            .read(async |conn| -> Result<_, Failed> {
                let rows = store::delivery::list(conn, id, &store::delivery::Filter::default(), None, 1000).await?;
                Ok((store::counts::find(conn, id).await?, rows))
            })
            .await
            .expect("read");
        let mut counted = Counts::default();
        rows.iter().for_each(|row| counted.add(row.state));
        assert_eq!(kept.counts, counted);
        assert!(counted.balanced());
        counted
    }
}

async fn subscribe(conn: &mut Conn<'_>, cx: &Context, publication: rapport_core::PublicationId, number: usize) -> Result<(), Failed> {
    let email = format!("reader{number}@example.com").parse().expect("an address");
    let subscriber =
        Subscriber { id: cx.fresh(), version: 1, email, customer: None, display_name: String::new(), language: None, create_time: cx.now };
    let proof = Proof::plain(ProofKind::SignedUp, "test", "test", cx.now);
    let new = Subscription::new((cx.fresh(), cx.fresh(), cx.fresh()), publication, subscriber.clone(), proof.clone(), cx.now);
    let active = new.confirm(proof, cx.now).map_err(Failure::Refused)?.expect("it was pending");
    store::subscription::insert_subscriber(conn, subscriber).await?;
    store::subscription::insert(conn, active).await?;
    Ok(())
}

fn start(work: &Leased) -> Step {
    let (issue, subscription) = (work.delivery.issue, work.delivery.subscription);
    Step::Start { held: work.held.clone(), issue, subscription, repeatable: false }
}

fn accepted(work: &Leased, number: i32) -> Step {
    let reply = Reply { code: 250, ..Reply::default() };
    Step::End(Report { held: work.held.clone(), in_flight: Some(number), phase: SmtpPhase::Dot, verdict: Verdict::Accepted, reply })
}

both_databases! {
    async fn a_crash_at_any_point_loses_nobody_and_mails_nobody_twice(backend: Backend) {
        let house = House::new(backend).await;
        let issue = house.issue(4).await;
        assert_eq!(house.counts(issue).await, Counts { audience: 4, pending: 4, ..Counts::default() });
        let work = house.claim("first", 3).await;
        assert_eq!(work.len(), 3);
        // One in flight, one accepted, one only leased, one free; then the worker dies.
        assert_eq!(house.step(&[start(&work[0]), start(&work[1])]).await, [Stepped::Go(1), Stepped::Go(1)]);
        assert_eq!(house.step(&[accepted(&work[1], 1)]).await, [Stepped::Noted]);
        let recovered = house.database.write(async |conn| ledger::recover(conn, &house.cx, &house.keys, true, 100).await).await;
        assert_eq!(recovered.expect("recovered"), 2);
        assert_eq!(house.counts(issue).await, Counts { audience: 4, pending: 2, accepted: 1, unknown: 1, ..Counts::default() });
        // The dead worker was only slow: its leases start nothing, and its late proof is taken.
        assert_eq!(house.step(&[start(&work[2])]).await, [Stepped::Stop]);
        house.step(&[accepted(&work[0], 1)]).await;
        assert_eq!(house.counts(issue).await, Counts { audience: 4, pending: 2, accepted: 2, ..Counts::default() });
        let rest = house.claim("second", 10).await;
        assert_eq!(rest.len(), 2);
        for work in &rest {
            house.step(&[start(work)]).await;
            house.step(&[accepted(work, 1)]).await;
        }
        assert_eq!(house.counts(issue).await, Counts { audience: 4, accepted: 4, ..Counts::default() });
        let found = house.database.read(async |conn| issue::get_issue(conn, issue).await).await.expect("it is there");
        assert_eq!(found.state, IssueState::Completed);
    }

    async fn two_workers_never_share_a_recipient(backend: Backend) {
        let house = House::new(backend).await;
        let issue = house.issue(40).await;
        let mut seen = BTreeSet::new();
        let mut count = 0;
        while count < 40 {
            let (one, two) = tokio::join!(house.claim("one", 7), house.claim("two", 7));
            assert!(!one.is_empty() || !two.is_empty());
            for work in one.iter().chain(&two) {
                assert!(seen.insert(work.delivery.id), "{} was leased twice", work.delivery.id);
                count += 1;
            }
        }
        assert_eq!(house.counts(issue).await.pending, 40);
        let held = house.database.write(async |conn| {
            let ids: Vec<_> = seen.iter().copied().collect();
            ledger::renew(conn, "one", &ids, Duration::from_secs(3600)).await
        });
        assert!(held.await.expect("renewed").len() < 40);
        // Nobody's lease has run out yet.
        let recovered = house.database.write(async |conn| ledger::recover(conn, &house.cx, &house.keys, false, 100).await).await;
        assert_eq!(recovered.expect("nothing to do"), 0);
    }

    async fn a_recipient_who_left_gets_nothing_even_when_the_letter_is_written(backend: Backend) {
        let house = House::new(backend).await;
        let issue = house.issue(1).await;
        let work = house.claim("worker", 1).await;
        let subscription = work[0].delivery.subscription.expect("it has one");
        house
            .database
            .write(async |conn| super::subscription::unsubscribe(conn, &house.cx, subscription, "enough").await)
            .await
            .expect("it is there");
        assert_eq!(house.step(&[start(&work[0])]).await, [Stepped::Stop]);
        assert_eq!(house.counts(issue).await, Counts { audience: 1, withheld: 1, ..Counts::default() });
    }

    async fn a_freezing_that_fails_leaves_a_draft_and_no_rows(backend: Backend) {
        let house = House::new(backend).await;
        let issue = house.issue(2).await;
        let again: IssueId = house.cx.fresh();
        let (cx, keys) = (&house.cx, &house.keys);
        house
            .database
            .write(async |conn| -> Result<(), Failed> {
                let sent = issue::get_issue(conn, issue).await?;
                let command = CreateIssue { id: again, publication: sent.publication, content: sent.content, audience: sent.audience, on_unknown: sent.on_unknown, give_up_after: sent.give_up_after };
                issue::create_issue(conn, cx, command).await?;
                issue::send_issue(conn, cx, again, None).await?;
                let chunk = freeze::next_chunk(conn, again).await?.expect("it is freezing");
                freeze::freeze_chunk(conn, cx, keys, &chunk, &Facts::default()).await?;
                freeze::fail(conn, again, "the customer service cannot be asked").await
            })
            .await
            .expect("stored");
        assert_eq!(house.counts(again).await, Counts::default());
        let found = house.database.read(async |conn| issue::get_issue(conn, again).await).await.expect("it is there");
        assert_eq!((found.state, found.freeze_failure.as_deref()), (IssueState::Draft, Some("the customer service cannot be asked")));
    }
}
