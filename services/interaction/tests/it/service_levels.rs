//! Calendars and policies as callers keep them, and the clocks that run by them.

use std::time::Duration;

use prost_types::Duration as Span;
use rapport_proto::{common::v1 as common, interaction::v1 as pb};
use rapport_testkit::{both_databases, eventually};
use tonic::Code;

use crate::house::{House, answer, conclusion, enquiry, fresh, ours, said, theirs};

const HOUR: Duration = Duration::from_secs(3600);

fn hours(hours: i64) -> Option<Span> {
    Some(Span { seconds: hours * 3600, nanos: 0 })
}

fn office() -> pb::Calendar {
    let weekly = (1..=5).map(|day| pb::OpenInterval { day, from_minute: 540, to_minute: 1020 }).collect();
    pb::Calendar { display_name: "Office".to_owned(), time_zone: "Europe/Lisbon".to_owned(), weekly, ..Default::default() }
}

fn prompt() -> pb::SlaPolicy {
    pb::SlaPolicy {
        display_name: "Prompt".to_owned(),
        first_human_response: hours(1),
        next_response: hours(2),
        resolution: hours(24),
        pause_while_waiting_on_customer: true,
        escalate_to_queue: "late".to_owned(),
        escalate_priority: 7,
        ..Default::default()
    }
}

impl House {
    async fn policy(&self, policy: pb::SlaPolicy) -> pb::SlaPolicy {
        let request = pb::CreateSlaPolicyRequest { policy: Some(policy), ..Default::default() };
        self.service_levels().create_sla_policy(request).await.expect("it is made").into_inner().policy.expect("it is answered")
    }
    async fn calendar(&self, calendar: pb::Calendar) -> pb::Calendar {
        let request = pb::CreateCalendarRequest { calendar: Some(calendar), ..Default::default() };
        self.service_levels().create_calendar(request).await.expect("it is made").into_inner().calendar.expect("it is answered")
    }
}

fn targets(interaction: &pb::Interaction) -> Vec<pb::SlaTarget> {
    let level = interaction.service_level.clone().unwrap_or_default();
    level.breaches.iter().map(pb::SlaBreach::target).collect()
}

both_databases! {
    async fn a_calendar_and_a_policy_are_made_changed_listed_and_deleted(backend: Backend) {
        let house = House::open(backend).await;
        let mut services = house.service_levels();
        let calendar = house.calendar(office()).await;
        let id = calendar.calendar_id.clone();
        let again = pb::CreateCalendarRequest { calendar: Some(office()), calendar_id: id.clone(), ..Default::default() };
        assert_eq!(answer(services.create_calendar(again).await).expect_err("it is there").reason, "CALENDAR_EXISTS");
        let changed = pb::UpdateCalendarRequest {
            calendar_id: id.clone(),
            calendar: Some(pb::Calendar { holidays: vec!["2026-12-25".to_owned()], ..office() }),
            etag: calendar.etag.clone(),
            ..Default::default()
        };
        let after = answer(services.update_calendar(changed.clone()).await).expect("it is changed").calendar.expect("it is answered");
        assert_eq!(answer(services.update_calendar(changed).await).expect_err("it is stale").code, Code::Aborted);
        let get = pb::GetCalendarRequest { calendar_id: id.clone() };
        let got = answer(services.get_calendar(get.clone()).await).expect("it is there").calendar;
        assert_eq!(got, Some(after));

        let policy = house.policy(pb::SlaPolicy { calendar_id: id.clone(), ..prompt() }).await;
        let delete = pb::DeleteCalendarRequest { calendar_id: id.clone(), ..Default::default() };
        let used = answer(services.delete_calendar(delete.clone()).await).expect_err("a policy names it");
        assert_eq!((used.reason.as_str(), used.metadata["policies"].as_str()), ("CALENDAR_IN_USE", "1"));
        let same = pb::CreateSlaPolicyRequest { policy: Some(prompt()), policy_id: policy.policy_id.clone(), ..Default::default() };
        assert_eq!(answer(services.create_sla_policy(same).await).expect_err("it is there").reason, "SLA_POLICY_EXISTS");
        let request = pb::UpdateSlaPolicyRequest { policy_id: policy.policy_id.clone(), policy: Some(prompt()), ..Default::default() };
        let free = answer(services.update_sla_policy(request).await).expect("it is changed").policy.expect("it is answered");
        assert_eq!((free.calendar_id.as_str(), free.etag.as_str()), ("", "2"));
        let get_policy = pb::GetSlaPolicyRequest { policy_id: policy.policy_id.clone() };
        assert_eq!(answer(services.get_sla_policy(get_policy.clone()).await).expect("it is there").policy, Some(free.clone()));

        answer(services.delete_calendar(delete).await).expect("nothing names it any more");
        assert_eq!(answer(services.get_calendar(get).await).expect_err("it is gone").code, Code::NotFound);
        assert!(answer(services.list_calendars(pb::ListCalendarsRequest::default()).await).expect("a list").calendars.is_empty());
        let policies = answer(services.list_sla_policies(pb::ListSlaPoliciesRequest::default()).await).expect("a list").policies;
        assert_eq!(policies, [free]);
        let delete = pb::DeleteSlaPolicyRequest { policy_id: policy.policy_id, ..Default::default() };
        answer(services.delete_sla_policy(delete).await).expect("it is deleted");
        assert_eq!(answer(services.get_sla_policy(get_policy).await).expect_err("it is gone").code, Code::NotFound);
    }

    async fn everything_that_is_wrong_with_a_calendar_or_a_policy_is_named(backend: Backend) {
        let house = House::open(backend).await;
        let mut services = house.service_levels();
        let mut calendar = pb::Calendar { time_zone: "Europe/Atlantis".to_owned(), display_name: String::new(), ..office() };
        calendar.weekly.push(pb::OpenInterval { day: 1, from_minute: 600, to_minute: 660 });
        calendar.holidays = vec!["Christmas".to_owned()];
        let request = pb::CreateCalendarRequest { calendar: Some(calendar), ..Default::default() };
        let wrong = answer(services.create_calendar(request).await).expect_err("it is wrong");
        let mut fields: Vec<&str> = wrong.violations.iter().map(|violation| violation.field.as_str()).collect();
        fields.sort_unstable();
        assert_eq!(fields, ["calendar.display_name", "calendar.holidays[0]", "calendar.time_zone", "calendar.weekly[5]"]);
        let closed = pb::CreateCalendarRequest { calendar: Some(pb::Calendar { weekly: Vec::new(), ..office() }), ..Default::default() };
        let closed = answer(services.create_calendar(closed).await).expect_err("it never opens");
        assert_eq!(closed.violations[0].field, "calendar.weekly");

        let scope = pb::Scope { locales: vec!["pt".to_owned()], stages: vec![common::Stage::Greeting.into()], ..Default::default() };
        let policy = pb::SlaPolicy {
            scope: Some(scope),
            precedence: 1001,
            next_response: Some(Span { seconds: 59, nanos: 0 }),
            escalate_priority: -1,
            ..Default::default()
        };
        let request = pb::CreateSlaPolicyRequest { policy: Some(policy), ..Default::default() };
        let wrong = answer(services.create_sla_policy(request).await).expect_err("it is wrong");
        assert_eq!(wrong.violations.len(), 6, "{:?}", wrong.violations);
        let nothing = pb::SlaPolicy { display_name: "Nothing".to_owned(), ..Default::default() };
        let request = pb::CreateSlaPolicyRequest { policy: Some(nothing), ..Default::default() };
        assert_eq!(answer(services.create_sla_policy(request).await).expect_err("it promises nothing").violations[0].field, "policy");
        let lost = pb::SlaPolicy { calendar_id: fresh(), ..prompt() };
        let request = pb::CreateSlaPolicyRequest { policy: Some(lost), ..Default::default() };
        assert_eq!(answer(services.create_sla_policy(request).await).expect_err("no calendar").violations[0].field, "policy.calendar_id");
    }

    async fn each_overlap_and_each_reason_why_a_scope_never_matches_is_named(backend: Backend) {
        let house = House::open(backend).await;
        let mut services = house.service_levels();
        let interval = |day, from_minute, to_minute| pb::OpenInterval { day, from_minute, to_minute };
        // Two overlap, one lies in another, one is the same twice, one ends before it begins; those that touch and those of another day do not.
        let weekly = vec![
            interval(1, 540, 720), interval(1, 720, 800), interval(1, 700, 730), interval(2, 540, 720), interval(2, 600, 610),
            interval(3, 0, 1440), interval(3, 0, 1440), interval(4, 800, 700),
        ];
        let calendar = pb::Calendar { weekly, ..office() };
        let request = pb::CreateCalendarRequest { calendar: Some(calendar.clone()), ..Default::default() };
        let wrong = answer(services.create_calendar(request).await).expect_err("it is wrong");
        let expected = ["calendar.weekly[2]", "calendar.weekly[4]", "calendar.weekly[6]", "calendar.weekly[7]"];
        assert_eq!(wrong.violations.iter().map(|violation| violation.field.as_str()).collect::<Vec<_>>(), expected);
        let right = house.calendar(office()).await;
        let request = pb::UpdateCalendarRequest { calendar_id: right.calendar_id.clone(), calendar: Some(calendar), ..Default::default() };
        assert_eq!(answer(services.update_calendar(request).await).expect_err("it is as wrong").violations.len(), expected.len());

        let scope = pb::Scope {
            customer_types: vec![common::CustomerType::Potential.into()],
            phases: vec![common::Phase::AfterSale.into()],
            purposes: vec![pb::Purpose::Complaint.into(), pb::Purpose::Complaint.into()],
            kinds: vec![common::InteractionKind::Expected.into()],
            ..Default::default()
        };
        let policy = pb::SlaPolicy { scope: Some(scope), calendar_id: right.calendar_id, ..prompt() };
        let made = house.policy(pb::SlaPolicy { scope: None, ..policy.clone() }).await;
        let create = pb::CreateSlaPolicyRequest { policy: Some(policy.clone()), ..Default::default() };
        let update = pb::UpdateSlaPolicyRequest { policy_id: made.policy_id, policy: Some(policy), ..Default::default() };
        let problems = [
            answer(services.create_sla_policy(create).await).expect_err("it never matches").violations,
            answer(services.update_sla_policy(update).await).expect_err("it never matches").violations,
        ];
        for violations in problems {
            assert!(violations.iter().all(|violation| violation.field == "policy.scope"), "{violations:?}");
            let never = violations.iter().filter(|violation| violation.description.contains("can never match")).count();
            assert_eq!((violations.len(), never), (3, 2), "{violations:?}");
        }
    }

    async fn a_late_interaction_is_noted_at_the_moment_it_was_due_told_and_escalated(backend: Backend) {
        let house = House::open(backend).await;
        house.policy(prompt()).await;
        let asked = house.create(enquiry()).await;
        let level = asked.service_level.clone().expect("a policy fits");
        assert_eq!((level.clocks.len(), level.explanation.as_str()), (2, "applies everywhere"));
        house.clock.advance(HOUR * 2);
        eventually("the breach is noted", async || !targets(&house.get(&asked.interaction_id).await).is_empty()).await;
        let late = house.get(&asked.interaction_id).await;
        assert_eq!(targets(&late), [pb::SlaTarget::FirstHumanResponse]);
        let breach = late.service_level.expect("it is kept").breaches[0];
        assert_eq!((breach.due_time, breach.note_time), (house.time(Duration::ZERO).map(|now| prost_types::Timestamp { seconds: now.seconds - 3600, ..now }), house.time(Duration::ZERO)));
        assert_eq!((late.queue.as_str(), late.priority), ("late", 7));
        let entries = house.entries(&asked.interaction_id).await;
        assert!(entries[0].kind() == pb::EntryKind::System && entries[0].body.starts_with("Escalated"), "{entries:?}");

        // Once noted it is not noted again, and one that is answered in time is not noted at all.
        house.clock.advance(HOUR);
        let other = house.create(enquiry()).await;
        house.add(&other.interaction_id, ours("At once.")).await.expect("it is answered");
        house.clock.advance(HOUR * 3);
        tokio::time::sleep(Duration::from_millis(1500)).await;
        assert_eq!(targets(&house.get(&asked.interaction_id).await).len(), 1);
        assert!(targets(&house.get(&other.interaction_id).await).is_empty());
    }

    async fn row_54_an_automated_answer_never_stops_the_clock(backend: Backend) {
        let house = House::open(backend).await;
        house.policy(prompt()).await;
        let asked = house.create(pb::Interaction { channel: common::Channel::Social.into(), ..enquiry() }).await;
        house.add(&asked.interaction_id, said(common::Responder::Automated, common::Direction::Outbound, "We got it!")).await.expect("it is sent");
        let level = house.get(&asked.interaction_id).await.service_level.expect("a policy fits");
        assert!(level.clocks.iter().any(|clock| clock.target() == pb::SlaTarget::FirstHumanResponse));
        house.clock.advance(HOUR);
        let answered = house.add(&asked.interaction_id, ours("A real human here.")).await.expect("it is sent").interaction.expect("it is answered");
        assert_eq!(targets(&answered), [pb::SlaTarget::FirstHumanResponse]);
    }

    async fn the_clocks_stop_at_the_conclusion_and_begin_anew_when_it_is_opened_again(backend: Backend) {
        let house = House::open(backend).await;
        house.policy(prompt()).await;
        let asked = house.create(enquiry()).await;
        house.add(&asked.interaction_id, ours("Here it is.")).await.expect("it is sent");
        let ended = house.conclude(&asked.interaction_id, conclusion()).await.expect("it is concluded");
        assert!(ended.service_level.expect("it is kept").clocks.is_empty());
        house.clock.advance(HOUR * 48);
        let opened = house.add(&asked.interaction_id, theirs("It is broken.")).await.expect("it is heard").interaction.expect("it is answered");
        let level = opened.service_level.expect("it is chosen anew");
        let due: Vec<_> = level.clocks.iter().map(|clock| (clock.target(), clock.due_time)).collect();
        assert_eq!(due, [(pb::SlaTarget::NextResponse, house.time(HOUR * 2)), (pb::SlaTarget::Resolution, house.time(HOUR * 24))]);
        assert!(level.breaches.is_empty());
    }

    async fn row_75_the_kind_of_an_interaction_chooses_its_policy(backend: Backend) {
        let house = House::open(backend).await;
        house.policy(prompt()).await;
        let scope = pb::Scope { kinds: vec![common::InteractionKind::Unwanted.into()], ..Default::default() };
        house.policy(pb::SlaPolicy { display_name: "Unwanted".to_owned(), scope: Some(scope), ..prompt() }).await;
        let unwanted = house.create(pb::Interaction { kind: common::InteractionKind::Unwanted.into(), ..enquiry() }).await;
        let level = unwanted.service_level.expect("a policy fits");
        assert_eq!((level.display_name.as_str(), level.explanation.as_str()), ("Unwanted", "kind UNWANTED"));
        assert_eq!(house.create(enquiry()).await.service_level.expect("a policy fits").display_name, "Prompt");
        house.policy(pb::SlaPolicy { display_name: "First".to_owned(), precedence: 1, ..prompt() }).await;
        let first = house.create(pb::Interaction { kind: common::InteractionKind::Unwanted.into(), ..enquiry() }).await;
        assert_eq!(first.service_level.expect("a policy fits").display_name, "First", "precedence comes before all");
    }

    async fn row_19_the_goals_and_standards_of_the_manual_are_clocks_by_a_business_calendar(backend: Backend) {
        let house = House::open(backend).await;
        let calendar = house.calendar(office()).await;
        house.policy(pb::SlaPolicy { calendar_id: calendar.calendar_id, first_human_response: hours(9), ..prompt() }).await;
        let asked = house.create(enquiry()).await;
        let level = asked.service_level.expect("a policy fits");
        let first = level.clocks.iter().find(|clock| clock.target() == pb::SlaTarget::FirstHumanResponse).expect("it runs");
        let (start, due) = (first.start_time.expect("a time").seconds, first.due_time.expect("a time").seconds);
        assert!(due - start > 24 * 3600 - 8 * 3600, "nine hours of an office that is open for eight are on the next day at the earliest");
    }
}
