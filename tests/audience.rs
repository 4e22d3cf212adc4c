//! Who is written to, through all services: consent, complaints, segments, and what was changed because customers said so.

use rapport_proto::{
    common::v1::{self as common, ContactPurpose},
    customer::v1::{
        self as customer, consent_service_client::ConsentServiceClient, customer_service_client::CustomerServiceClient,
        segment_service_client::SegmentServiceClient,
    },
    feedback::v1::{self as feedback, collection_service_client::CollectionServiceClient},
    interaction::v1::{self as interaction, interaction_service_client::InteractionServiceClient},
    newsletter::v1::{
        self as pb, issue_service_client::IssueServiceClient, message_service_client::MessageServiceClient,
        publication_service_client::PublicationServiceClient,
    },
};
use rapport_testkit::{both_databases, eventually, until};

use crate::running::{Running, start};

/// Creates a customer with this address.
async fn create(running: &Running, name: &str, kind: customer::CustomerKind) -> String {
    let point = customer::ContactPoint {
        kind: customer::ContactPointKind::Email.into(),
        value: format!("{name}@example.com"),
        ..Default::default()
    };
    let created = customer::Customer {
        kind: kind.into(),
        display_name: name.to_owned(),
        contact_points: vec![point],
        lifecycle_stage: customer::LifecycleStage::Customer.into(),
        ..Default::default()
    };
    let request = customer::CreateCustomerRequest { customer: Some(created), ..Default::default() };
    let mut customers = CustomerServiceClient::new(running.service("customer"));
    customers.create_customer(request).await.expect("created").into_inner().customer.expect("it").customer_id
}

/// A publication that sends notices by the outbox.
async fn notices(running: &Running) -> String {
    let mut publications = PublicationServiceClient::new(running.service("newsletter"));
    let sender = pb::Sender { from_name: "The Shop".to_owned(), from_address: "news@shop.example".to_owned(), ..Default::default() };
    let request = pb::CreateSenderRequest { sender: Some(sender), ..Default::default() };
    let sender_id = publications.create_sender(request).await.expect("sound").into_inner().sender.expect("it").sender_id;
    let kind = pb::PublicationKind::Notice.into();
    let publication = pb::Publication { display_name: "Changes".to_owned(), sender_id, kind, ..Default::default() };
    let request = pb::CreatePublicationRequest { publication: Some(publication), ..Default::default() };
    publications.create_publication(request).await.expect("sound").into_inner().publication.expect("it").publication_id
}

/// Sends an issue to this audience and waits for its end.
async fn send(running: &Running, publication_id: &str, audience: pb::Audience) -> (pb::Accounting, Vec<pb::Delivery>) {
    let mut issues = IssueServiceClient::new(running.service("newsletter"));
    let issue = pb::Issue {
        publication_id: publication_id.to_owned(),
        subject: "What changes".to_owned(),
        text: "You asked for it, {{ subscriber.display_name }}: the kettle switches itself off now.".to_owned(),
        audience: Some(audience),
        ..Default::default()
    };
    let request = pb::CreateIssueRequest { issue: Some(issue), ..Default::default() };
    let issue_id = issues.create_issue(request).await.expect("sound").into_inner().issue.expect("it").issue_id;
    issues.send_issue(pb::SendIssueRequest { issue_id: issue_id.clone(), ..Default::default() }).await.expect("a draft");
    let account = until("the issue is completed", async || {
        let request = pb::GetAccountingRequest { issue_id: issue_id.clone() };
        let account = issues.clone().get_accounting(request).await.expect("it is there").into_inner().accounting;
        account.filter(|account| account.issue_state() == pb::IssueState::Completed)
    })
    .await;
    let request = pb::ListDeliveriesRequest { issue_id, page_size: 1000, ..Default::default() };
    (account, issues.list_deliveries(request).await.expect("listed").into_inner().deliveries)
}

both_databases! {
    async fn row_35_a_formal_mail_to_a_business_needs_its_consent_and_enters_the_timeline(backend: Backend) {
        let running = start(backend).await;
        let firm = create(&running, "firm", customer::CustomerKind::Organization).await;
        notices(&running).await;
        let messages = MessageServiceClient::new(running.service("newsletter"));
        let write = async |message_id: &str| {
            let message = pb::Message {
                customer_id: firm.clone(),
                purpose: ContactPurpose::SalesContact.into(),
                subject: "Our offer".to_owned(),
                text: "Dear Sir or Madam, this is what we can do for you.".to_owned(),
                ..Default::default()
            };
            let request = pb::SendMessageRequest { message: Some(message), message_id: message_id.to_owned(), ..Default::default() };
            messages.clone().send_message(request).await.expect("sound");
            until("the mail is settled", async || {
                let request = pb::GetMessageRequest { message_id: message_id.to_owned() };
                let message = messages.clone().get_message(request).await.expect("it is there").into_inner().message.expect("it");
                message.delivery.filter(|delivery| matches!(delivery.state(), pb::DeliveryState::Accepted | pb::DeliveryState::Withheld))
            })
            .await
        };
        let withheld = write("0190163d-8694-739b-aea5-966c26f8ad91").await;
        assert_eq!((withheld.state(), withheld.withheld_reason()), (pb::DeliveryState::Withheld, pb::WithheldReason::NoConsent));
        let consent = customer::ConsentRecord {
            customer_id: firm.clone(),
            channel: common::Channel::Email.into(),
            purpose: ContactPurpose::SalesContact.into(),
            status: customer::ConsentStatus::Granted.into(),
            source: customer::ConsentSource::Form.into(),
            ..Default::default()
        };
        let request = customer::RecordConsentRequest { consent: Some(consent), ..Default::default() };
        let recorded = ConsentServiceClient::new(running.service("customer")).record_consent(request).await.expect("recorded");
        let basis = recorded.into_inner().consent.expect("it").consent_id;
        let sent = write("0190163d-8694-739b-aea5-966c26f8ad92").await;
        assert_eq!((sent.state(), sent.consent_basis), (pb::DeliveryState::Accepted, format!("consent {basis}")));
        let mut lines = Vec::new();
        eventually("both are on the timeline", async || {
            let request = customer::ListTimelineRequest { customer_id: firm.clone(), ..Default::default() };
            let listed = CustomerServiceClient::new(running.service("customer")).list_timeline(request).await.expect("listed").into_inner();
            lines = listed.entries.into_iter().filter(|entry| entry.r#type == "message.settled").map(|entry| entry.summary).collect();
            lines.len() == 2
        })
        .await;
        lines.sort();
        assert_eq!(lines, ["a mail for SALES_CONTACT was sent", "a mail for SALES_CONTACT was withheld"]);
        running.stop().await;
    }

    async fn row_86_an_issue_goes_to_the_customers_of_a_segment_but_not_to_who_complains(backend: Backend) {
        let running = start(backend).await;
        let publication = notices(&running).await;
        let mut ids = Vec::new();
        for name in ["ada", "bob", "cat"] {
            ids.push(create(&running, name, customer::CustomerKind::Person).await);
        }
        let complaint = interaction::Interaction {
            customer_id: ids[1].clone(),
            function: common::BusinessFunction::CustomerService.into(),
            purpose: interaction::Purpose::Complaint.into(),
            kind: common::InteractionKind::Unwanted.into(),
            setting: common::Setting::Informal.into(),
            channel: common::Channel::Phone.into(),
            direction: common::Direction::Inbound.into(),
            ..Default::default()
        };
        let request = interaction::CreateInteractionRequest { interaction: Some(complaint), ..Default::default() };
        InteractionServiceClient::new(running.service("interaction")).create_interaction(request).await.expect("it is created");
        let segments = SegmentServiceClient::new(running.service("customer"));
        let count = async |filter: &str| {
            let request = customer::CountSegmentRequest { filter: filter.to_owned(), ..Default::default() };
            segments.clone().count_segment(request).await.expect("counted").into_inner().count
        };
        eventually("the complaint is known", async || count("open_complaint = true").await == 1).await;
        let audience = pb::Audience { filter: "lifecycle_stage = CUSTOMER".to_owned(), hold_open_complaints: true, ..Default::default() };
        let (account, deliveries) = send(&running, &publication, audience).await;
        assert_eq!((account.audience, account.accepted, account.withheld_reasons.get("OPEN_COMPLAINT")), (3, 2, Some(&1)), "{account:?}");
        let held = deliveries.iter().find(|delivery| delivery.state() == pb::DeliveryState::Withheld).expect("one is held");
        assert_eq!(held.customer_id, ids[1]);
        running.stop().await;
    }

    async fn row_26_and_29_who_asked_for_a_change_is_told_that_it_came(backend: Backend) {
        let running = start(backend).await;
        let publication = notices(&running).await;
        let (ada, bob) =
            (create(&running, "ada", customer::CustomerKind::Person).await, create(&running, "bob", customer::CustomerKind::Person).await);
        let collection = CollectionServiceClient::new(running.service("feedback"));
        for (customer_id, verbatim) in [(&ada, "The kettle should switch itself off."), (&bob, "A fine kettle.")] {
            let remark = feedback::Remark {
                customer_id: customer_id.clone(),
                verbatim: verbatim.to_owned(),
                kind: if customer_id == &ada { feedback::RemarkKind::Suggestion } else { feedback::RemarkKind::Praise }.into(),
                occasion: feedback::RemarkOccasion::CasualTalk.into(),
                ..Default::default()
            };
            let request = feedback::RecordRemarkRequest { remark: Some(remark), ..Default::default() };
            collection.clone().record_remark(request).await.expect("recorded");
        }
        // The suggestions that were followed name the customers who made them: these are the segment that is told.
        let request = feedback::ListRemarksRequest { filter: "kind = SUGGESTION".to_owned(), ..Default::default() };
        let remarks = collection.clone().list_remarks(request).await.expect("listed").into_inner().remarks;
        let segment = customer::Segment {
            display_name: "Asked for the kettle".to_owned(),
            customer_ids: remarks.into_iter().map(|remark| remark.customer_id).collect(),
            ..Default::default()
        };
        let request = customer::CreateSegmentRequest { segment: Some(segment), ..Default::default() };
        let saved = SegmentServiceClient::new(running.service("customer")).create_segment(request).await.expect("saved");
        let segment_id = saved.into_inner().segment.expect("it").segment_id;
        let (account, deliveries) = send(&running, &publication, pb::Audience { segment_id, ..Default::default() }).await;
        assert_eq!((account.audience, account.accepted), (1, 1), "{account:?}");
        assert_eq!((deliveries[0].customer_id.as_str(), deliveries[0].consent_basis.as_str()), (ada.as_str(), "purpose"));
        running.stop().await;
    }
}
