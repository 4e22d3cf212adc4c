//! Canned messages: written, approved version by version, filled in strictly.

use std::collections::BTreeMap;

use rapport_client::Problem;
use rapport_proto::{
    common::v1::Channel,
    interaction::v1::{self as pb, CannedMessageKind, canned_message_service_client::CannedMessageServiceClient},
};
use rapport_testkit::both_databases;
use tonic::Code;

use crate::house::{House, answer, customer, enquiry, fresh};

type Messages = CannedMessageServiceClient<tonic::transport::Channel>;

fn text(short_code: &str, body: &str) -> pb::CannedMessage {
    pb::CannedMessage {
        short_code: short_code.to_owned(),
        kind: CannedMessageKind::Text.into(),
        subject: "Your question".to_owned(),
        body: body.to_owned(),
        ..Default::default()
    }
}

async fn create(messages: &mut Messages, message: pb::CannedMessage) -> pb::CannedMessage {
    let request = pb::CreateCannedMessageRequest { canned_message: Some(message), ..Default::default() };
    messages.create_canned_message(request).await.expect("it is created").into_inner().canned_message.expect("it is answered")
}

async fn approve(messages: &mut Messages, id: &str, version: i32) -> Result<pb::CannedMessage, Problem> {
    let request = pb::ApproveCannedMessageRequest { canned_message_id: id.to_owned(), version, ..Default::default() };
    Ok(answer(messages.approve_canned_message(request).await)?.canned_message.expect("it is answered"))
}

async fn render(messages: &mut Messages, code: &str, on: &str, given: &[(&str, &str)]) -> Result<pb::RenderCannedMessageResponse, Problem> {
    let variables: BTreeMap<String, String> = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let request =
        pb::RenderCannedMessageRequest { short_code: code.to_owned(), interaction_id: on.to_owned(), variables, ..Default::default() };
    answer(messages.render_canned_message(request).await)
}

fn fields(problem: &Problem) -> Vec<&str> {
    problem.violations.iter().map(|violation| violation.field.as_str()).collect()
}

both_databases! {
    async fn row_22_a_question_on_a_product_is_answered_with_an_approved_text(backend: Backend) {
        let house = House::open(backend).await;
        house.peers.know(&customer(1));
        let mut messages = house.canned_messages();
        let body = "On “{{ interaction.subject }}”: {{ product }} costs {{ price }}.";
        let made = create(&mut messages, text("price", body)).await;
        assert_eq!((made.version, made.approved_version, made.approved, made.written_by.as_str()), (1, 0, false, "local"));
        let on = house.create(pb::Interaction { customer_id: customer(1), ..enquiry() }).await.interaction_id;
        let given = [("product", "a box"), ("price", "3 €")];
        let refused = render(&mut messages, "price", &on, &given).await.expect_err("nobody approved it");
        assert_eq!((refused.reason.as_str(), refused.metadata["approved_version"].as_str()), ("CANNED_MESSAGE_NOT_APPROVED", "0"));

        let approved = approve(&mut messages, &made.canned_message_id, 1).await.expect("it is approved");
        assert_eq!((approved.approved, approved.approved_by.as_str(), approved.approve_time.is_some()), (true, "local", true));
        let refused = render(&mut messages, "price", &on, &[]).await.expect_err("two variables are missing");
        assert_eq!((refused.code, fields(&refused)), (Code::InvalidArgument, vec!["variables.price", "variables.product"]));
        let refused = render(&mut messages, "price", "", &given).await.expect_err("no interaction offers its subject");
        assert_eq!(fields(&refused), ["variables.interaction.subject"]);
        let rendered = render(&mut messages, "price", &on, &given).await.expect("it is filled in");
        assert_eq!((rendered.subject.as_str(), rendered.version), ("Your question", 1));
        assert_eq!(rendered.body, "On “Where is my parcel?”: a box costs 3 €.");
        let wrong = render(&mut messages, "price", &on, &[("customer", "Ada"), ("A b", "x")]).await.expect_err("no such names");
        assert_eq!(fields(&wrong), ["variables", "variables"]);
    }

    async fn row_23_a_question_on_the_company_is_answered_with_approved_material(backend: Backend) {
        let house = House::open(backend).await;
        let mut messages = house.canned_messages();
        let without = pb::CannedMessage { kind: CannedMessageKind::Material.into(), ..text("about-us", "") };
        let request = pb::CreateCannedMessageRequest { canned_message: Some(without.clone()), ..Default::default() };
        let refused = answer(messages.create_canned_message(request).await).expect_err("a material has a file");
        assert_eq!(fields(&refused), ["canned_message.file"]);
        let made = create(&mut messages, pb::CannedMessage { file: "files/about-us.pdf".to_owned(), confidential: true, ..without }).await;
        approve(&mut messages, &made.canned_message_id, 1).await.expect("it is approved");
        let rendered = render(&mut messages, "about-us", "", &[]).await.expect("it is given");
        assert_eq!((rendered.file.as_str(), rendered.body.as_str(), rendered.confidential), ("files/about-us.pdf", "", true));
        let request = pb::ListCannedMessagesRequest { filter: "kind = MATERIAL AND short_code = \"about-us\"".to_owned(), ..Default::default() };
        let listed = messages.list_canned_messages(request).await.expect("they are listed").into_inner().canned_messages;
        let request = pb::GetCannedMessageRequest { canned_message_id: made.canned_message_id, ..Default::default() };
        let got = messages.get_canned_message(request).await.expect("it is there").into_inner().canned_message;
        assert_eq!(listed, Vec::from_iter(got));
    }

    async fn row_41_a_changed_template_for_mail_and_chat_needs_a_new_approval(backend: Backend) {
        let house = House::open(backend).await;
        let mut messages = house.canned_messages();
        let scope = pb::Scope { channels: vec![Channel::Email.into(), Channel::Chat.into()], ..Default::default() };
        let made = create(&mut messages, pb::CannedMessage { scope: Some(scope), ..text("hello", "Hello.") }).await;
        approve(&mut messages, &made.canned_message_id, 1).await.expect("it is approved");
        let change = |message: pb::CannedMessage, etag: &str| pb::UpdateCannedMessageRequest {
            canned_message: Some(message),
            etag: etag.to_owned(),
            ..Default::default()
        };
        // Where it applies is no text: the approval stays.
        let elsewhere = pb::CannedMessage { scope: None, ..made.clone() };
        let stale = answer(messages.update_canned_message(change(elsewhere.clone(), "1")).await).expect_err("it was approved since");
        assert_eq!(stale.code, Code::Aborted);
        let kept = answer(messages.update_canned_message(change(elsewhere, "2")).await).expect("it is changed").canned_message.expect("it");
        assert_eq!((kept.version, kept.approved), (1, true));

        let other = pb::CannedMessage { body: "Good day.".to_owned(), ..made.clone() };
        let changed = answer(messages.update_canned_message(change(other, "")).await).expect("it is changed").canned_message.expect("it");
        assert_eq!((changed.version, changed.approved_version, changed.approved), (2, 1, false));
        let refused = render(&mut messages, "hello", "", &[]).await.expect_err("version 2 is not approved");
        assert_eq!((refused.metadata["version"].as_str(), refused.metadata["approved_version"].as_str()), ("2", "1"));
        let refused = approve(&mut messages, &made.canned_message_id, 1).await.expect_err("version 1 is gone");
        assert_eq!((refused.reason.as_str(), refused.metadata["version"].as_str()), ("CANNED_MESSAGE_VERSION", "2"));
        approve(&mut messages, &made.canned_message_id, 2).await.expect("it is approved");
        assert_eq!(render(&mut messages, "hello", "", &[]).await.expect("it is given").body, "Good day.");
    }

    async fn a_short_code_and_an_id_are_given_once(backend: Backend) {
        let house = House::open(backend).await;
        let mut messages = house.canned_messages();
        let first = create(&mut messages, text("a", "A")).await;
        let second = create(&mut messages, text("b", "B")).await;
        let request = pb::CreateCannedMessageRequest { canned_message: Some(text("a", "again")), canned_message_id: fresh(), ..Default::default() };
        let taken = answer(messages.create_canned_message(request.clone()).await).expect_err("the code is taken");
        assert_eq!((taken.code, taken.reason.as_str()), (Code::AlreadyExists, "SHORT_CODE_TAKEN"));
        let request = pb::CreateCannedMessageRequest { canned_message_id: first.canned_message_id, ..request };
        let taken = answer(messages.create_canned_message(request).await).expect_err("the id is taken");
        assert_eq!(taken.reason, "CANNED_MESSAGE_EXISTS");
        let renamed = pb::CannedMessage { short_code: "a".to_owned(), ..second };
        let request = pb::UpdateCannedMessageRequest { canned_message: Some(renamed), ..Default::default() };
        let taken = answer(messages.update_canned_message(request).await).expect_err("the code is taken");
        assert_eq!(taken.metadata["short_code"], "a");
    }

    async fn a_template_that_cannot_be_read_is_refused_with_its_line(backend: Backend) {
        let house = House::open(backend).await;
        let wrong = pb::CannedMessage { subject: "{{".to_owned(), file: "x".to_owned(), ..text("Wrong Code", "Hello\n{% if %}") };
        let request = pb::CreateCannedMessageRequest { canned_message: Some(wrong), ..Default::default() };
        let refused = answer(house.canned_messages().create_canned_message(request).await).expect_err("it cannot be read");
        assert_eq!(fields(&refused), ["canned_message.short_code", "canned_message.file", "canned_message.subject", "canned_message.body"]);
        assert!(refused.violations[3].description.contains("line 2"), "{:?}", refused.violations[3]);
    }
}
