//! Issues on timelines, on both databases.

use rapport_core::{Channel, CustomerId, Direction, EventId, JourneyId, Page, PageRequest, Setting, Time, Violations, filter::Operator};
use rapport_proto::newsletter::v1::{Audience, Issue, ProofKind, event::Payload};
use rapport_testkit::both_databases;

use super::{Bench, bench, profile};
use crate::{
    app::timeline::{Filter, list_timeline},
    domain::TimelineEntry,
};

const WEEKLY: &str = "0190163d-8694-739b-aea5-966c26f8ad91";
const OFFERS: &str = "0190163d-8694-739b-aea5-966c26f8ad95";

impl Bench {
    /// An issue that went out whose audience was frozen now.
    async fn issue(&self, publication: &str, subject: &str) -> Issue {
        let (seconds, nanos) = self.cx().now.parts();
        let issue = Issue {
            issue_id: self.cx().fresh::<()>().to_string(),
            publication_id: publication.to_owned(),
            subject: subject.to_owned(),
            freeze_time: Some(prost_types::Timestamp { seconds, nanos }),
            ..Default::default()
        };
        self.world.clock.advance(std::time::Duration::from_secs(1));
        self.hear("issue.completed", Payload::Issue(issue.clone())).await;
        issue
    }

    /// All that the filters take, in pages of this size, the newest first.
    async fn read(&self, customer: CustomerId, filters: &[Filter], size: i32) -> Vec<TimelineEntry> {
        let (mut all, mut token) = (Vec::new(), String::new());
        loop {
            let request = PageRequest { size, token: &token, of: "" };
            let page: Page<(Time, EventId)> = Page::parse(request, &mut Violations::new()).expect("a page");
            let rows = self.database.read(async |conn| list_timeline(conn, customer, filters, &page).await).await.expect("listed");
            let (rows, next) = page.answer(rows, |entry| (entry.time, entry.event));
            assert!(rows.len() <= usize::try_from(size).expect("small"));
            all.extend(rows);
            token = next;
            if token.is_empty() {
                return all;
            }
        }
    }
}

fn issues(entries: &[TimelineEntry]) -> Vec<&str> {
    entries.iter().filter_map(|entry| entry.summary.strip_prefix("an issue of the newsletter went out")).collect()
}

both_databases! {
    async fn a_timeline_shows_the_issues_of_the_times_in_which_the_customer_had_the_subscription(backend: Backend) {
        let bench = bench(backend).await;
        let ada = bench.create(profile("Ada", "ada@example.com")).await.expect("created").id;
        bench.issue(WEEKLY, "Before").await;
        bench.subscribed("subscription.confirmed", ProofKind::SignedUp).await;
        let first = bench.issue(WEEKLY, "First for {{ subscriber.display_name }}").await;
        bench.issue(OFFERS, "Of another publication").await;
        bench.subscribed("subscription.ended", ProofKind::OneClick).await;
        bench.issue(WEEKLY, "Meanwhile").await;
        bench.subscribed("subscription.confirmed", ProofKind::PreferencePage).await;
        let narrowed = Issue { audience: Some(Audience { filter: "types = NEW".to_owned(), ..Default::default() }), ..bench.issue(WEEKLY, "Second").await };
        // Told again, for example when an unknown outcome was settled by sending once more: the first counts.
        bench.hear("issue.completed", Payload::Issue(narrowed.clone())).await;
        let third = Issue { issue_id: bench.cx().fresh::<()>().to_string(), subject: "Third".to_owned(), ..narrowed };
        bench.hear("issue.completed", Payload::Issue(third)).await;

        let all = bench.read(ada, &[], 100).await;
        assert_eq!(issues(&all), [" to some of its readers: Third", ": Second", ": First for …"]);
        let entry = &all[all.len() - 1 - all.iter().rev().position(|entry| entry.kind == "issue.completed").expect("it")];
        assert_eq!((entry.service.as_str(), entry.subject.to_string()), ("newsletter", first.issue_id));
        assert_eq!((entry.channel, entry.direction, entry.setting), (Some(Channel::Email), Some(Direction::Outbound), None));
        assert!(all.is_sorted_by_key(|entry| std::cmp::Reverse((entry.time, entry.event))));
        for size in 1..=4 {
            assert_eq!(bench.read(ada, &[], size).await, all, "in pages of {size}");
        }
        // What the filters take of the whole is what they take in the database.
        let kind = |same| Filter::Kind(same, "issue.completed".to_owned());
        let service = |same, name: &str| Filter::Service(same, name.to_owned());
        for (filters, count) in [
            (vec![kind(true)], 3),
            (vec![kind(false)], 0),
            (vec![service(true, "newsletter")], 3),
            (vec![service(true, "customer")], 0),
            (vec![service(false, "customer"), Filter::Channel(Channel::Email), Filter::Direction(Direction::Outbound)], 3),
            (vec![Filter::Channel(Channel::Phone)], 0),
            (vec![Filter::Setting(Setting::Formal)], 0),
            (vec![Filter::Subject(entry.subject)], 1),
            (vec![Filter::Journey(JourneyId::from_uuid(uuid::Uuid::nil()))], 0),
            (vec![kind(true), Filter::Time(Operator::Greater, entry.time)], 2),
            (vec![kind(true), Filter::Time(Operator::LessOrEqual, entry.time)], 1),
        ] {
            assert_eq!(issues(&bench.read(ada, &filters, 2).await).len(), count, "{filters:?}");
        }
        let bob = bench.create(profile("Bob", "bob@example.com")).await.expect("created").id;
        assert_eq!(issues(&bench.read(bob, &[], 10).await), [] as [&str; 0]);
    }

    async fn who_has_very_many_subscriptions_has_a_timeline_too(backend: Backend) {
        let bench = bench(backend).await;
        let ada = bench.create(profile("Ada", "ada@example.com")).await.expect("created").id;
        let publications: Vec<String> = (0..120).map(|_| bench.cx().fresh::<()>().to_string()).collect();
        for publication in &publications {
            bench.subscribed_to(publication, "subscription.confirmed", ProofKind::SignedUp).await;
        }
        for publication in [&publications[119], &publications[0], &publications[60]] {
            bench.issue(publication, publication).await;
        }
        let read = bench.read(ada, &[Filter::Kind(true, "issue.completed".to_owned())], 2).await;
        let expected = [&publications[60], &publications[0], &publications[119]].map(|publication| format!(": {publication}"));
        assert_eq!(issues(&read), expected);
    }
}
