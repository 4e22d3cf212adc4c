//! Creating, finding, listing and changing customers.

use prost_types::FieldMask;
use rapport_proto::{
    common::v1::CustomerType,
    customer::v1::{self as pb, ContactPointKind, CustomerKind},
};
use rapport_testkit::both_databases;
use tonic::Code;

use crate::running::{customer, mail, refusal, start};

both_databases! {
    async fn a_customer_is_created_found_and_changed(backend: Backend) {
        let running = start(backend).await;
        let mut wish = customer("Ada Lovelace", "Ada@Example.com");
        wish.tags = vec!["vip".to_owned()];
        wish.external_ids.insert("crm".to_owned(), "7".to_owned());
        let created = running.create(wish).await;
        assert_eq!((created.kind(), created.types[0].r#type(), created.etag.as_str()), (CustomerKind::Person, CustomerType::Potential, "1"));
        assert_eq!(created.contact_points[0].normalized, "ada@example.com");
        let get = pb::GetCustomerRequest { customer_id: created.customer_id.clone() };
        let found = running.customers().get_customer(get).await.expect("found").into_inner().customer.expect("a customer");
        assert_eq!(found, created);

        let change = pb::Customer { owner: "grace".to_owned(), display_name: "not named".to_owned(), ..found.clone() };
        let mask = FieldMask { paths: vec!["owner".to_owned()] };
        let update = pb::UpdateCustomerRequest { customer: Some(change), update_mask: Some(mask), ..Default::default() };
        let changed = running.customers().update_customer(update.clone()).await.expect("changed").into_inner().customer.expect("a customer");
        assert_eq!((changed.owner.as_str(), changed.display_name.as_str(), changed.etag.as_str()), ("grace", "Ada Lovelace", "2"));
        let mut stale = update;
        stale.customer.as_mut().expect("set").owner = "alan".to_owned();
        let (code, reason, _) = refusal(running.customers().update_customer(stale).await);
        assert_eq!((code, reason.as_str()), (Code::Aborted, "STALE"));
        running.stop().await;
    }

    async fn a_second_customer_cannot_take_an_address_or_an_external_id_unnoticed(backend: Backend) {
        let running = start(backend).await;
        let first = running.create(customer("Ada", "ada@example.com")).await;
        let twin = |allow_duplicate| pb::CreateCustomerRequest { customer: Some(customer("Twin", "ADA@example.com")), allow_duplicate, ..Default::default() };
        let status = running.customers().create_customer(twin(false)).await.expect_err("refused");
        let details = tonic_types::StatusExt::get_error_details(&status);
        let info = details.error_info().expect("a reason");
        assert_eq!((status.code(), info.reason.as_str(), info.domain.as_str()), (Code::AlreadyExists, "MATCHING_CUSTOMER_EXISTS", "customer.rapport"));
        assert_eq!(info.metadata["customer_ids"], first.customer_id);
        running.customers().create_customer(twin(true)).await.expect("allowed");
        let mut known = customer("Known", "");
        known.external_ids.insert("crm".to_owned(), "1".to_owned());
        running.create(known.clone()).await;
        let again = pb::CreateCustomerRequest { customer: Some(known), allow_duplicate: true, ..Default::default() };
        assert_eq!(refusal(running.customers().create_customer(again).await).1, "EXTERNAL_ID_TAKEN");
        let same_id = pb::CreateCustomerRequest { customer: Some(customer("Same", "")), customer_id: first.customer_id, ..Default::default() };
        assert_eq!(refusal(running.customers().create_customer(same_id.clone()).await).1, "CUSTOMER_ID_TAKEN");
        let only_checked = pb::CreateCustomerRequest { validate_only: true, ..same_id };
        assert_eq!(refusal(running.customers().create_customer(only_checked).await).1, "CUSTOMER_ID_TAKEN");
        running.stop().await;
    }

    async fn a_repeated_request_creates_once_and_a_check_creates_nothing(backend: Backend) {
        let running = start(backend).await;
        let create = pb::CreateCustomerRequest {
            customer: Some(customer("Ada", "ada@example.com")),
            request_id: "once".to_owned(),
            ..Default::default()
        };
        let first = running.customers().create_customer(create.clone()).await.expect("created").into_inner();
        let second = running.customers().create_customer(create.clone()).await.expect("the same answer").into_inner();
        assert_eq!(first, second);
        let other = pb::CreateCustomerRequest { customer: Some(customer("Bea", "")), ..create };
        assert_eq!(refusal(running.customers().create_customer(other.clone()).await).2, ["request_id"]);
        let check = pb::CreateCustomerRequest { validate_only: true, request_id: String::new(), ..other };
        running.customers().create_customer(check).await.expect("it could be created");
        let all = running.customers().list_customers(pb::ListCustomersRequest::default()).await.expect("listed").into_inner();
        assert_eq!(all.customers.len(), 1);
        running.stop().await;
    }

    async fn an_address_is_resolved_to_one_customer(backend: Backend) {
        let running = start(backend).await;
        let resolve = |points: Vec<pb::ContactPoint>| pb::ResolveCustomerRequest { contact_points: points, ..Default::default() };
        let phone = pb::ContactPoint { kind: ContactPointKind::Phone.into(), value: "+44 20 7946 0958".to_owned(), ..Default::default() };
        let new = running.customers().resolve_customer(resolve(vec![mail("ada@example.com"), phone.clone()])).await.expect("created").into_inner();
        assert!(new.created);
        let new = new.customer.expect("a customer");
        assert_eq!((new.display_name.as_str(), new.types[0].r#type()), ("ada@example.com", CustomerType::Potential));
        let found = running.customers().resolve_customer(resolve(vec![mail("nobody@example.com"), phone])).await.expect("found").into_inner();
        assert_eq!((found.created, found.matched_on.as_str()), (false, "phone"));
        assert_eq!(found.customer.expect("a customer").customer_id, new.customer_id);
        let nobody = pb::ContactPoint { kind: ContactPointKind::Postal.into(), value: "1 Main Street".to_owned(), ..Default::default() };
        assert_eq!(refusal(running.customers().resolve_customer(resolve(vec![nobody])).await).2, ["contact_points[0].kind"]);
        assert_eq!(refusal(running.customers().resolve_customer(resolve(vec![])).await).2, ["contact_points"]);
        running.stop().await;
    }

    async fn lists_are_filtered_and_paged(backend: Backend) {
        let running = start(backend).await;
        for number in 0..5 {
            let mut wish = customer(&format!("Customer {number}"), &format!("c{number}@example.com"));
            wish.tags = vec![if number % 2 == 0 { "Even_1" } else { "odd" }.to_owned()];
            wish.owner = "ada".to_owned();
            wish.language = "en".to_owned();
            running.create(wish).await;
        }
        let filter = "tag = even_1 AND owner = ada AND customer_type = POTENTIAL AND risk_level = HEALTHY AND language != de \
                      AND preferred_channel != EMAIL AND kind = PERSON AND lifecycle_stage = PROSPECT AND create_time > 2020-01-01T00:00:00Z";
        let mut list = pb::ListCustomersRequest { page_size: 2, filter: filter.to_owned(), ..Default::default() };
        let first = running.customers().list_customers(list.clone()).await.expect("listed").into_inner();
        list.page_token = first.next_page_token;
        let second = running.customers().list_customers(list.clone()).await.expect("listed").into_inner();
        let names: Vec<String> = first.customers.into_iter().chain(second.customers).map(|customer| customer.display_name).collect();
        assert_eq!((names.as_slice(), second.next_page_token.as_str()), (["Customer 0", "Customer 2", "Customer 4"].map(str::to_owned).as_slice(), ""));
        for (filter, count) in [("email = \"C3@example.com\"", 1), ("tag = even%", 0), ("language = de", 0), ("last_interaction_time > 2020-01-01T00:00:00Z", 0)] {
            let list = pb::ListCustomersRequest { filter: filter.to_owned(), ..Default::default() };
            let found = running.customers().list_customers(list).await.expect("listed").into_inner();
            assert_eq!(found.customers.len(), count, "{filter}");
        }
        list.filter = "colour = red".to_owned();
        assert_eq!(refusal(running.customers().list_customers(list).await).2, ["filter", "page_token"]);
        running.stop().await;
    }

    async fn types_are_assigned_with_a_reason_and_seen_on_the_timeline(backend: Backend) {
        let running = start(backend).await;
        let created = running.create(customer("Ada", "")).await;
        let assign = pb::AssignCustomerTypeRequest {
            customer_id: created.customer_id.clone(),
            customer_type: CustomerType::Loyal.into(),
            reason: "came back three times".to_owned(),
            etag: created.etag,
            ..Default::default()
        };
        let loyal = running.customers().assign_customer_type(assign.clone()).await.expect("assigned").into_inner().customer.expect("a customer");
        let types: Vec<CustomerType> = loyal.types.iter().map(pb::TypeAssignment::r#type).collect();
        assert_eq!((types.as_slice(), loyal.types[0].assigned_by.as_str()), ([CustomerType::Loyal].as_slice(), "local"));
        let remove = pb::AssignCustomerTypeRequest { customer_type: CustomerType::Discount.into(), remove: true, etag: String::new(), ..assign };
        let (code, reason, _) = refusal(running.customers().assign_customer_type(remove).await);
        assert_eq!((code, reason.as_str()), (Code::FailedPrecondition, "TYPE_NOT_ASSIGNED"));
        let mut list = pb::ListTimelineRequest { customer_id: created.customer_id, page_size: 1, ..Default::default() };
        let first = running.customers().list_timeline(list.clone()).await.expect("listed").into_inner();
        list.page_token = first.next_page_token;
        let second = running.customers().list_timeline(list.clone()).await.expect("listed").into_inner();
        let told = [&first.entries[0], &second.entries[0]].map(|entry| (entry.r#type.as_str(), entry.summary.as_str()));
        assert_eq!(told, [("customer.type_changed", "is now LOYAL"), ("customer.created", "became known")]);
        list.page_token.clear();
        list.filter = "type = customer.created AND service = customer AND time > 2020-01-01T00:00:00Z".to_owned();
        assert_eq!(running.customers().list_timeline(list).await.expect("listed").into_inner().entries.len(), 1);
        running.stop().await;
    }

    async fn a_person_belongs_to_an_organisation_that_is_one(backend: Backend) {
        let running = start(backend).await;
        let person = running.create(customer("Ada", "")).await;
        let acme = running.create(pb::Customer { kind: CustomerKind::Organization.into(), ..customer("Acme", "") }).await;
        let member = |id: &str| pb::CreateCustomerRequest {
            customer: Some(pb::Customer { organization_id: id.to_owned(), ..customer("Member", "") }),
            ..Default::default()
        };
        running.customers().create_customer(member(&acme.customer_id)).await.expect("created");
        assert_eq!(refusal(running.customers().create_customer(member(&person.customer_id)).await).2, ["customer.organization_id"]);
        let list = pb::ListCustomersRequest { filter: format!("organization_id = {}", acme.customer_id), ..Default::default() };
        assert_eq!(running.customers().list_customers(list).await.expect("listed").into_inner().customers.len(), 1);
        running.stop().await;
    }

    async fn a_wrong_request_is_told_everything_at_once(backend: Backend) {
        let running = start(backend).await;
        let wrong = pb::CreateCustomerRequest { customer: Some(customer("", "ada")), customer_id: "7".to_owned(), customer_type: 99, ..Default::default() };
        let (code, reason, fields) = refusal(running.customers().create_customer(wrong).await);
        assert_eq!((code, reason.as_str()), (Code::InvalidArgument, "INVALID_REQUEST"));
        assert_eq!(fields, ["customer_id", "customer_type", "customer.contact_points[0].value"]);
        let nameless = pb::CreateCustomerRequest { customer: Some(pb::Customer::default()), ..Default::default() };
        assert_eq!(refusal(running.customers().create_customer(nameless).await).2, ["customer.display_name"]);
        let mask = FieldMask { paths: vec!["risk_level".to_owned(), "colour".to_owned()] };
        let update = pb::UpdateCustomerRequest {
            customer: Some(pb::Customer { etag: "W/1".to_owned(), ..Default::default() }),
            update_mask: Some(mask),
            ..Default::default()
        };
        let expected = ["customer.customer_id", "customer.etag", "update_mask", "update_mask"];
        assert_eq!(refusal(running.customers().update_customer(update).await).2, expected);
        let missing = pb::GetCustomerRequest { customer_id: "0190163d-8694-739b-aea5-966c26f8ad91".to_owned() };
        assert_eq!(refusal(running.customers().get_customer(missing.clone()).await).0, Code::NotFound);
        let timeline = pb::ListTimelineRequest { customer_id: missing.customer_id, ..Default::default() };
        assert_eq!(refusal(running.customers().list_timeline(timeline).await).0, Code::NotFound);
        running.stop().await;
    }
}
