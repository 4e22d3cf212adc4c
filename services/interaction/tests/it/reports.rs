//! Service reports: what is told is what happened, however it came about.

use std::{collections::BTreeMap, time::Duration};

use rapport_proto::{
    common::v1::{self as common, CustomerType},
    customer::v1 as customer,
    feedback::v1 as feedback,
    interaction::v1::{self as pb, CommitmentState, Expectation, ReportDimension as Dimension, ReportPeriod as Period, next_step::Step},
};
use rapport_testkit::{both_databases, eventually, until};
use tonic::Code;

use crate::{
    house::{House, answer, callback, conclusion, customer as customer_id, enquiry, fresh, ours, step, theirs},
    truth::{DIMENSIONS, Facts, Truth, numbers},
    walks::{Dice, act},
};

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// A report over the whole time around the clock of the tests.
fn wanted(group_by: Dimension) -> pb::GetServiceReportRequest {
    pb::GetServiceReportRequest {
        first_day: "2026-01-01".to_owned(),
        last_day: "2027-12-31".to_owned(),
        group_by: group_by.into(),
        ..Default::default()
    }
}

impl House {
    /// A report that everything is counted in.
    async fn report(&self, request: pb::GetServiceReportRequest) -> pb::ServiceReport {
        until("everything is counted", async || {
            let answer = self.reports().get_service_report(request.clone()).await.expect("it is answered");
            answer.into_inner().report.filter(|report| report.pending_changes == 0 && !report.recounting)
        })
        .await
    }
}

/// The measures of each value, of a report that is not divided by time.
fn by_value(report: &pb::ServiceReport) -> BTreeMap<String, pb::ReportMeasures> {
    report.rows.iter().map(|row| (row.value.clone(), row.measures.expect("they are told"))).collect()
}

both_databases! {
    async fn row_63_what_became_of_interactions_is_told_to_review_and_improve(backend: Backend) {
        let house = House::open(backend).await;
        let mail = house.create(enquiry()).await;
        house.clock.advance(600 * Duration::from_secs(1));
        house.add(&mail.interaction_id, ours("It comes tomorrow.")).await.expect("it is added");
        let met = pb::Conclusion { expectation: Expectation::Exceeded.into(), ..conclusion() };
        house.conclude(&mail.interaction_id, met).await.expect("it is concluded");
        let call = house.create(pb::Interaction { channel: common::Channel::Phone.into(), ..enquiry() }).await;
        let promise = house.promise(pb::Commitment { interaction_id: call.interaction_id.clone(), ..callback(house.time(HOUR)) }).await;
        let told = by_value(&house.report(wanted(Dimension::Channel)).await);
        assert_eq!(told.keys().map(String::as_str).collect::<Vec<_>>(), ["EMAIL", "PHONE"]);
        assert_eq!(numbers(&told["EMAIL"]), [1, 1, 1, 1, 0, 0]);
        assert_eq!((told["EMAIL"].expectation_exceeded, told["EMAIL"].answered, told["PHONE"].promises_open), (1, 1, 1));
        let waited = told["EMAIL"].first_human_response_p50.expect("somebody was answered").seconds;
        assert!((570..=630).contains(&waited), "ten minutes, within five per cent: {waited}");

        // The call is never answered, the promise is broken by the clock, and the customer writes again.
        house.clock.advance(2 * HOUR);
        eventually("it is broken", async || house.commitment(&promise.commitment_id).await.state() == CommitmentState::Broken).await;
        house.add(&mail.interaction_id, theirs("It did not come.")).await.expect("it is added");
        let told = by_value(&house.report(wanted(Dimension::Channel)).await);
        assert_eq!(numbers(&told["EMAIL"]), [1, 1, 0, 0, 0, 0], "it is open again, and nothing of its conclusion counts");
        assert_eq!((told["EMAIL"].reopened, told["PHONE"].promises_open, told["PHONE"].promises_broken), (1, 0, 1));
    }

    async fn row_5_to_8_the_report_separates_selling_in_the_street_from_the_shop(backend: Backend) {
        let house = House::open(backend).await;
        let street = pb::Interaction {
            function: common::BusinessFunction::Sales.into(),
            purpose: pb::Purpose::Sale.into(),
            channel: common::Channel::Street.into(),
            phase: common::Phase::Purchase.into(),
            informal_offer: Some(pb::InformalOffer {
                point_of_contact: "Pedlar at the station".to_owned(),
                service_delivery: "On the spot".to_owned(),
                demand: pb::Demand::CreatedBySeller.into(),
                product_range: vec!["Umbrellas, while it rains".to_owned()],
                ..Default::default()
            }),
            ..enquiry()
        };
        for _ in 0..3 {
            house.create(street.clone()).await;
        }
        let shop = pb::Interaction {
            setting: common::Setting::Formal.into(),
            channel: common::Channel::FaceToFace.into(),
            informal_offer: None,
            ..street
        };
        house.create(shop).await;
        let request = pb::GetServiceReportRequest { filter: "function = SALES".to_owned(), ..wanted(Dimension::Setting) };
        let told = by_value(&house.report(request).await);
        assert_eq!(told.iter().map(|(value, of)| (value.as_str(), of.interactions)).collect::<Vec<_>>(), [("FORMAL", 1), ("INFORMAL", 3)]);
        let request = pb::GetServiceReportRequest { filter: "setting = INFORMAL AND function = SALES".to_owned(), ..wanted(Dimension::Channel) };
        let told = by_value(&house.report(request).await);
        assert_eq!(told.iter().map(|(value, of)| (value.as_str(), of.interactions)).collect::<Vec<_>>(), [("STREET", 3)]);
    }

    async fn days_begin_in_the_zone_of_the_settings_and_weeks_on_monday(backend: Backend) {
        let house = House::set(backend, &[("interaction.report_time_zone", "Pacific/Kiritimati")]).await;
        let begun = |text: &str| pb::Interaction { start_time: at(text), ..enquiry() };
        for time in ["2026-02-27T09:59:59Z", "2026-02-27T10:00:00Z", "2026-03-01T09:59:59Z", "2026-03-01T10:00:00Z"] {
            house.create(begun(time)).await;
        }
        let rows = |report: &pb::ServiceReport| -> Vec<(String, i64)> {
            report.rows.iter().map(|row| (row.first_day.clone(), row.measures.as_ref().map_or(0, |of| of.interactions))).collect()
        };
        let days = house.report(pb::GetServiceReportRequest { period: Period::Day.into(), ..wanted(Dimension::Unspecified) }).await;
        let expected = [("2026-02-27", 1), ("2026-02-28", 1), ("2026-03-01", 1), ("2026-03-02", 1)];
        assert_eq!(rows(&days), expected.map(|(day, count)| (day.to_owned(), count)), "fourteen hours ahead of UTC");
        let request = pb::GetServiceReportRequest {
            first_day: "2026-03-01".to_owned(),
            last_day: "2026-03-01".to_owned(),
            period: Period::Week.into(),
            ..Default::default()
        };
        let week = house.report(request).await;
        assert_eq!((week.first_day.as_str(), week.last_day.as_str(), week.time_zone.as_str()), ("2026-02-23", "2026-03-01", "Pacific/Kiritimati"));
        assert_eq!(rows(&week), [("2026-02-23".to_owned(), 3)], "a week that is touched is told whole");
    }

    async fn a_remark_that_comes_after_the_conclusion_documents_it(backend: Backend) {
        let house = House::open(backend).await;
        let asked = house.create(pb::Interaction { feedback_solicited: true, ..enquiry() }).await;
        let silent = pb::Conclusion { said_nothing: true, ..conclusion() };
        house.conclude(&asked.interaction_id, silent).await.expect("it is concluded");
        let feedback = |of: &pb::ReportMeasures| [of.feedback_solicited, of.feedback_documented, of.said_nothing];
        assert_eq!(feedback(&house.report(wanted(Dimension::Unspecified)).await.total.expect("it is told")), [1, 0, 1]);
        house.peers.tell_remark(feedback::Remark { remark_id: fresh(), interaction_id: asked.interaction_id, ..Default::default() });
        eventually("it is documented", async || {
            feedback(&house.report(wanted(Dimension::Unspecified)).await.total.expect("it is told")) == [1, 1, 0]
        })
        .await;
    }

    async fn whatever_is_wrong_with_a_report_is_told_at_once(backend: Backend) {
        let house = House::open(backend).await;
        let wrong = pb::GetServiceReportRequest {
            first_day: "2026-02-30".to_owned(),
            last_day: String::new(),
            period: 9,
            group_by: 9,
            filter: "setting = LOUD AND channel = PHONE AND kind = EXPECTED AND phase > PURCHASE".to_owned(),
        };
        let refused = answer(house.reports().get_service_report(wrong).await).expect_err("much is wrong");
        assert_eq!(refused.code, Code::InvalidArgument);
        let fields: Vec<&str> = refused.violations.iter().map(|wrong| wrong.field.as_str()).collect();
        assert_eq!(fields, ["first_day", "last_day", "period", "group_by", "filter", "filter", "filter"]);
        for (first_day, last_day) in [("2026-02-02", "2026-02-01"), ("2010-01-01", "2026-01-01")] {
            let request = pb::GetServiceReportRequest { first_day: first_day.to_owned(), last_day: last_day.to_owned(), ..Default::default() };
            let refused = answer(house.reports().get_service_report(request).await).expect_err("it is no span");
            assert_eq!(refused.violations.iter().map(|wrong| wrong.field.as_str()).collect::<Vec<_>>(), ["last_day"]);
        }
    }

    async fn whatever_happens_a_report_tells_what_the_rows_tell(backend: Backend) {
        let mut house = House::open(backend).await;
        let mut dice = Dice(20_261_123);
        let types = [vec![], vec![CustomerType::New, CustomerType::Discount], vec![CustomerType::Loyal]];
        for (number, types) in types.iter().enumerate() {
            let assigned = |of: &CustomerType| customer::TypeAssignment { r#type: (*of).into(), ..Default::default() };
            let known = customer::Customer {
                customer_id: customer_id(number as u128),
                types: types.iter().map(assigned).collect(),
                ..Default::default()
            };
            house.peers.tell_known(known);
        }
        until("the customers are known", async || {
            let draft = pb::Interaction { customer_id: customer_id(2), ..enquiry() };
            let request = pb::CreateInteractionRequest { interaction: Some(draft), ..Default::default() };
            house.interactions().create_interaction(request).await.ok()
        })
        .await;
        let agents = house.two_agents().await;
        let mut ids: Vec<String> = Vec::new();
        for round in 0..160 {
            house.clock.advance(Duration::from_secs(60 * (1 + dice.roll(300) as u64)));
            if round % 4 == 0 {
                ids.push(house.create(anything(&house, &mut dice)).await.interaction_id);
            }
            let id = ids[dice.roll(ids.len())].clone();
            let other = ids[dice.roll(ids.len())].clone();
            anything_happens(&house, &id, &other, &agents, &mut dice).await;
            if round == 80 {
                // What was counted stays counted, and what happens while nobody counts is counted later.
                house.restart().await;
            }
        }
        house.clock.advance(40 * DAY);
        let truth = Truth::read(&house, &types).await;
        for group_by in DIMENSIONS {
            for (filter, only) in truth.filters(group_by) {
                let request = pb::GetServiceReportRequest { filter: filter.clone(), ..wanted(group_by) };
                let told = house.report(request).await;
                let expected = truth.told(group_by, &only);
                let told: BTreeMap<String, Facts> =
                    by_value(&told).iter().map(|(value, measures)| (value.clone(), Facts::of(measures))).collect();
                assert_eq!(told, expected, "{group_by:?} where {filter}");
            }
        }
    }
}

fn at(text: &str) -> Option<prost_types::Timestamp> {
    let time: rapport_core::Time = text.parse().expect("a time");
    let (seconds, nanos) = time.parts();
    Some(prost_types::Timestamp { seconds, nanos })
}

impl House {
    /// Two agents, of whom one has the handle under which the promises of the tests are to be kept.
    async fn two_agents(&self) -> Vec<String> {
        let mut agents = Vec::new();
        for handle in ["ada", "grace"] {
            let agent = pb::Agent {
                handle: handle.to_owned(),
                display_name: handle.to_owned(),
                role: pb::AgentRole::FirstLine.into(),
                capacity: 100,
                ..Default::default()
            };
            let made = self.staff().create_agent(pb::CreateAgentRequest { agent: Some(agent), ..Default::default() }).await;
            agents.push(made.expect("it is made").into_inner().agent.expect("it is answered").agent_id);
        }
        agents
    }
}

/// An interaction of any sort.
fn anything(house: &House, dice: &mut Dice) -> pb::Interaction {
    let roll = |dice: &mut Dice, sides| i32::try_from(1 + dice.roll(sides)).expect("small");
    let scheduled_time = if dice.roll(8) == 0 { house.time(HOUR) } else { None };
    let customer_id = if dice.roll(4) == 0 { String::new() } else { customer_id(dice.roll(3) as u128) };
    pb::Interaction {
        customer_id,
        setting: roll(dice, 2),
        function: roll(dice, 3),
        kind: roll(dice, 4),
        phase: i32::try_from(dice.roll(4)).expect("small"),
        channel: [common::Channel::Phone, common::Channel::Email, common::Channel::Street][dice.roll(3)].into(),
        direction: roll(dice, 2),
        scheduled_time,
        feedback_solicited: dice.roll(3) == 0,
        ..enquiry()
    }
}

/// Something that may happen to an interaction; whether it is allowed does not matter.
async fn anything_happens(house: &House, id: &str, other: &str, agents: &[String], dice: &mut Dice) {
    let interaction_id = id.to_owned();
    let mut calls = house.interactions();
    match dice.roll(12) {
        0..=4 => drop(act(house, id, dice).await),
        5 => {
            let due_time = house.time(HOUR * u32::try_from(1 + dice.roll(60)).expect("small"));
            let owner = ["ada", "nobody"][dice.roll(2)].to_owned();
            let commitment = pb::Commitment { interaction_id, owner, ..callback(due_time) };
            drop(
                house
                    .commitments()
                    .create_commitment(pb::CreateCommitmentRequest { commitment: Some(commitment), ..Default::default() })
                    .await,
            );
        }
        6 => {
            let request = pb::ListCommitmentsRequest { filter: "state != CANCELLED".to_owned(), ..Default::default() };
            let promises = house.commitments().list_commitments(request).await.expect("they are listed").into_inner().commitments;
            if promises.is_empty() {
                return;
            }
            let commitment_id = promises[dice.roll(promises.len())].commitment_id.clone();
            let evidence = "call 17".to_owned();
            let mut calls = house.commitments();
            match dice.roll(3) {
                0 => drop(calls.keep_commitment(pb::KeepCommitmentRequest { commitment_id, evidence, ..Default::default() }).await),
                1 => drop(calls.release_commitment(pb::ReleaseCommitmentRequest { commitment_id, evidence, ..Default::default() }).await),
                _ => drop(
                    calls
                        .cancel_commitment(pb::CancelCommitmentRequest {
                            commitment_id,
                            reason: "in error".to_owned(),
                            ..Default::default()
                        })
                        .await,
                ),
            }
        }
        7 => {
            let request = pb::MoveInteractionRequest {
                interaction_id,
                customer_id: customer_id(dice.roll(3) as u128),
                reason: "another one".to_owned(),
                ..Default::default()
            };
            drop(calls.move_interaction(request).await);
        }
        8 if dice.roll(3) == 0 => {
            let request =
                pb::MergeInteractionsRequest { survivor_id: interaction_id, merged_ids: vec![other.to_owned()], ..Default::default() };
            drop(calls.merge_interactions(request).await);
        }
        9 => {
            let agent_id = agents[dice.roll(agents.len())].clone();
            drop(calls.assign_interaction(pb::AssignInteractionRequest { interaction_id, agent_id, ..Default::default() }).await);
        }
        _ => {
            let asked = house.get(id).await.feedback_solicited;
            let expectation = i32::try_from(dice.roll(5)).expect("small");
            let said_nothing = asked && dice.roll(2) == 0;
            let remark_ids = if asked && !said_nothing { vec![fresh()] } else { Vec::new() };
            let next_step = Some(step(Step::ThinkOver("it".to_owned())));
            drop(house.conclude(id, pb::Conclusion { expectation, said_nothing, remark_ids, next_step, ..conclusion() }).await);
        }
    }
}
