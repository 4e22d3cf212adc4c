//! What customers said is written down, by anybody of ours, or the gap is listed.

use rapport_proto::{
    common::v1::Setting,
    feedback::v1 as pb,
    interaction::v1::{self as interaction, InteractionState},
};
use rapport_testkit::{both_databases, eventually};
use tonic::Code;

use crate::feedback::{ADA, Feedback};

fn id(number: u32) -> String {
    format!("0190163d-8694-739b-aea5-{number:012}")
}

/// An interaction in which the customer was asked for feedback, with a conclusion that names these remarks.
fn concluded(number: u32, agent: &str, remarks: &[u32]) -> interaction::Interaction {
    interaction::Interaction {
        interaction_id: id(number),
        customer_id: ADA.to_owned(),
        setting: Setting::Informal.into(),
        state: InteractionState::Concluded.into(),
        feedback_solicited: true,
        conclusion: Some(interaction::Conclusion {
            concluded_by: agent.to_owned(),
            remark_ids: remarks.iter().map(|number| id(*number)).collect(),
            conclude_time: Some(prost_types::Timestamp { seconds: i64::from(number), nanos: 0 }),
            ..Default::default()
        }),
        ..Default::default()
    }
}

async fn record(feedback: &Feedback, remark: u32, interaction: Option<u32>) -> pb::Remark {
    let said = pb::Remark {
        customer_id: ADA.to_owned(),
        interaction_id: interaction.map(id).unwrap_or_default(),
        verbatim: "The queue is long".to_owned(),
        occasion: pb::RemarkOccasion::CompanyOccasion.into(),
        heard_by: "the porter".to_owned(),
        ..Default::default()
    };
    let request = pb::RecordRemarkRequest { remark: Some(said), remark_id: id(remark), ..Default::default() };
    feedback.collection.clone().record_remark(request).await.expect("said").into_inner().remark.expect("it is answered")
}

async fn listed(feedback: &Feedback, filter: &str) -> Vec<pb::UndocumentedInteraction> {
    let request = pb::ListUndocumentedRequest { filter: filter.to_owned(), ..Default::default() };
    feedback.collection.clone().list_undocumented(request).await.expect("a list").into_inner().interactions
}

/// Waits until these interactions are listed.
async fn until_listed(feedback: &Feedback, numbers: &[u32]) {
    let wanted: Vec<String> = numbers.iter().map(|number| id(*number)).collect();
    eventually(format!("{numbers:?} are listed"), async || {
        listed(feedback, "").await.into_iter().map(|gap| gap.interaction_id).collect::<Vec<_>>() == wanted
    })
    .await;
}

both_databases! {
    async fn row_12_any_employee_writes_down_what_was_heard_and_who_and_where_is_kept(backend: Backend) {
        let feedback = Feedback::start(backend).await;
        // Nobody of ours is known here, so nobody is trained or endorsed.
        let remark = record(&feedback, 7, None).await;
        assert_eq!((remark.heard_by.as_str(), remark.recorded_by.as_str()), ("the porter", "local"));
        let request = pb::ListRemarksRequest { filter: "occasion = COMPANY_OCCASION".to_owned(), ..Default::default() };
        let kept = feedback.collection.clone().list_remarks(request).await.expect("a list").into_inner().remarks;
        assert_eq!(kept, [remark]);
        feedback.stop().await;
    }

    async fn row_13_what_was_said_and_is_not_written_down_is_listed_until_it_is(backend: Backend) {
        let feedback = Feedback::start(backend).await;
        record(&feedback, 70, None).await;
        feedback.peers.conclude(concluded(1, "ada", &[70]));
        feedback.peers.conclude(concluded(2, "ada", &[70, 71, 72]));
        feedback.peers.conclude(concluded(3, "bea", &[]));
        let silent = interaction::Conclusion { said_nothing: true, ..concluded(4, "ada", &[]).conclusion.expect("one") };
        feedback.peers.conclude(interaction::Interaction { conclusion: Some(silent), ..concluded(4, "ada", &[]) });
        feedback.peers.conclude(interaction::Interaction { feedback_solicited: false, ..concluded(5, "ada", &[]) });
        // In the street: nobody knows the customer.
        feedback.peers.conclude(interaction::Interaction { customer_id: String::new(), ..concluded(6, "ada", &[73]) });
        until_listed(&feedback, &[2, 3, 6]).await;
        let gap = &listed(&feedback, "").await[0];
        assert_eq!((gap.agent.as_str(), gap.customer_id.as_str(), gap.setting()), ("ada", ADA, Setting::Informal));
        assert_eq!((gap.missing_remark_ids.as_slice(), gap.conclude_time.map(|time| time.seconds)), ([id(71), id(72)].as_slice(), Some(2)));

        record(&feedback, 71, None).await;
        assert_eq!(listed(&feedback, "").await[0].missing_remark_ids, [id(72)]);
        record(&feedback, 72, None).await;
        until_listed(&feedback, &[3, 6]).await;
        record(&feedback, 80, Some(3)).await;
        until_listed(&feedback, &[6]).await;
        record(&feedback, 81, Some(6)).await;
        assert_eq!(listed(&feedback, "").await.len(), 1, "another remark is not the one that is named");
        record(&feedback, 73, None).await;
        until_listed(&feedback, &[]).await;
        feedback.stop().await;
    }

    async fn what_goes_on_is_no_gap_and_what_was_merged_documents_the_survivor(backend: Backend) {
        let feedback = Feedback::start(backend).await;
        feedback.peers.conclude(concluded(1, "ada", &[]));
        until_listed(&feedback, &[1]).await;
        let open = interaction::Interaction { state: InteractionState::Open.into(), ..concluded(1, "ada", &[]) };
        feedback.peers.tell("interaction.reopened", open);
        until_listed(&feedback, &[]).await;
        feedback.peers.conclude(concluded(1, "ada", &[71]));
        until_listed(&feedback, &[1]).await;

        record(&feedback, 70, Some(2)).await;
        let merge = |from: u32, into: u32| {
            feedback.peers.tell("interaction.merged", interaction::Interaction { merged_into_id: id(into), ..concluded(from, "ada", &[]) });
        };
        merge(2, 3);
        merge(3, 4);
        feedback.peers.conclude(concluded(4, "ada", &[]));
        merge(5, 6);
        feedback.peers.conclude(concluded(6, "ada", &[]));
        until_listed(&feedback, &[1, 6]).await;
        record(&feedback, 72, Some(5)).await;
        until_listed(&feedback, &[1]).await;
        feedback.stop().await;
    }

    async fn gaps_are_listed_page_by_page_by_agent_and_time(backend: Backend) {
        let feedback = Feedback::start(backend).await;
        for number in 1..=5 {
            feedback.peers.conclude(concluded(number, if number == 2 { "bea" } else { "ada" }, &[]));
        }
        until_listed(&feedback, &[1, 2, 3, 4, 5]).await;
        let of = |gaps: Vec<pb::UndocumentedInteraction>| gaps.into_iter().map(|gap| gap.interaction_id).collect::<Vec<_>>();
        assert_eq!(of(listed(&feedback, "agent = bea").await), [id(2)]);
        assert_eq!(of(listed(&feedback, "agent = ada AND conclude_time > 1970-01-01T00:00:03Z").await), [id(4), id(5)]);
        assert_eq!(of(listed(&feedback, &format!("customer_id = {ADA} AND setting = FORMAL")).await), [""; 0]);
        let mut client = feedback.collection.clone();
        let (mut found, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = pb::ListUndocumentedRequest { page_size: 2, page_token, ..Default::default() };
            let page = client.list_undocumented(request).await.expect("a page").into_inner();
            found.extend(of(page.interactions));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        assert_eq!(found, [1, 2, 3, 4, 5].map(id));
        let wrong = pb::ListUndocumentedRequest { filter: "setting != FORMAL AND conclude_time = noon".to_owned(), page_size: -1, ..Default::default() };
        assert_eq!(client.list_undocumented(wrong).await.expect_err("wrong").code(), Code::InvalidArgument);
        feedback.stop().await;
    }

    async fn a_conclusion_and_the_remark_that_it_names_meet(backend: Backend) {
        let feedback = Feedback::start(backend).await;
        for number in 1..=20 {
            feedback.peers.conclude(concluded(number, "ada", &[100 + number]));
            record(&feedback, 100 + number, Some(number)).await;
        }
        feedback.peers.conclude(concluded(99, "ada", &[]));
        until_listed(&feedback, &[99]).await;
        feedback.stop().await;
    }
}
