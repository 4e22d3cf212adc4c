//! What must be true afterwards: everything acknowledged is there, once, in its service, in the feeds and in the timelines.

use std::collections::BTreeMap;

use rapport_proto::{
    common::v1::EventMeta,
    customer::v1::{self as customer, customer_service_client::CustomerServiceClient},
    feedback::v1::{self as feedback, collection_service_client::CollectionServiceClient},
    interaction::v1::{
        self as interaction, commitment_service_client::CommitmentServiceClient, interaction_service_client::InteractionServiceClient,
    },
};

use super::{
    calls::{all_pages, insist},
    suite::Suite,
    writers::Acknowledged,
};

/// Things by the name they were given, each with all ids under which it is there.
type Found = BTreeMap<String, Vec<String>>;

fn found(things: impl IntoIterator<Item = (String, String)>) -> Found {
    let mut found = Found::new();
    for (name, id) in things.into_iter().filter(|(name, _)| name.contains("writer-")) {
        found.entry(name).or_default().push(id);
    }
    found
}

fn once(things: impl IntoIterator<Item = (String, String)>) -> Found {
    things.into_iter().map(|(name, id)| (name, vec![id])).collect()
}

/// Compares what is there with what was acknowledged, after every writer has finished: neither less nor more.
fn same(what: &str, acknowledged: Found, there: Found) {
    let lost: Vec<_> = acknowledged.keys().filter(|name| !there.contains_key(*name)).collect();
    let extra: Vec<_> = there.keys().filter(|name| !acknowledged.contains_key(*name)).collect();
    let doubled: Vec<_> = there.iter().filter(|(_, ids)| ids.len() > 1).collect();
    assert!(lost.is_empty(), "acknowledged {what} are lost: {lost:?}");
    assert!(doubled.is_empty(), "{what} are there more than once: {doubled:?}");
    assert!(extra.is_empty(), "{what} are there that nobody was told of: {extra:?}");
    assert_eq!(acknowledged, there, "{what} are there under other ids than acknowledged");
}

/// Checks the four services.
pub async fn services(suite: &Suite, known: &Acknowledged) {
    same("customers", once(known.customers.clone()), found(customers(suite).await));

    let interactions = interactions(suite).await;
    let (opened, logged): (Vec<_>, Vec<_>) = interactions.into_iter().partition(|(subject, _)| subject.starts_with("open "));
    same("logged interactions", once(known.logged.clone()), found(logged));
    let expected = known.opened.iter().map(|(name, (id, _))| (format!("open {name}"), id.clone()));
    same("opened interactions", once(expected), found(opened));
    for (name, (id, entries)) in &known.opened {
        same(&format!("entries of {name}"), once(entries.clone()), found(entries_of(suite, id).await));
    }
    same("kept commitments", once(known.kept.clone()), found(kept(suite).await));
    same("remarks", once(known.remarks.clone()), found(remarks(suite).await));
}

async fn customers(suite: &Suite) -> Vec<(String, String)> {
    let client = CustomerServiceClient::new(suite.channel("customer"));
    let all = all_pages(async |page_token| {
        let request = customer::ListCustomersRequest { page_size: 1000, page_token, ..Default::default() };
        let page = insist!(client.list_customers(request));
        (page.customers, page.next_page_token)
    });
    let all = all.await;
    for customer in all.iter().filter(|customer| customer.display_name.starts_with("writer-")) {
        assert!(customer.tags.contains(&customer.display_name), "the acknowledged update of {} is lost", customer.display_name);
    }
    all.into_iter().map(|customer| (customer.display_name, customer.customer_id)).collect()
}

async fn interactions(suite: &Suite) -> Vec<(String, String)> {
    let client = InteractionServiceClient::new(suite.channel("interaction"));
    let all = all_pages(async |page_token| {
        let request = interaction::ListInteractionsRequest { page_size: 1000, page_token, ..Default::default() };
        let page = insist!(client.list_interactions(request));
        (page.interactions, page.next_page_token)
    });
    all.await.into_iter().map(|interaction| (interaction.subject, interaction.interaction_id)).collect()
}

async fn entries_of(suite: &Suite, interaction_id: &str) -> Vec<(String, String)> {
    let client = InteractionServiceClient::new(suite.channel("interaction"));
    let all = all_pages(async |page_token| {
        let request = interaction::ListEntriesRequest {
            interaction_id: interaction_id.to_owned(),
            page_size: 1000,
            page_token,
            include_internal: true,
        };
        let page = insist!(client.list_entries(request));
        (page.entries, page.next_page_token)
    });
    all.await.into_iter().map(|entry| (entry.body, entry.entry_id)).collect()
}

async fn kept(suite: &Suite) -> Vec<(String, String)> {
    let client = CommitmentServiceClient::new(suite.channel("interaction"));
    let all = all_pages(async |page_token| {
        let request = interaction::ListCommitmentsRequest { page_size: 1000, page_token, ..Default::default() };
        let page = insist!(client.list_commitments(request));
        (page.commitments, page.next_page_token)
    });
    let all = all.await;
    for commitment in &all {
        assert_eq!(commitment.state(), interaction::CommitmentState::Kept, "{} was acknowledged as kept", commitment.text);
    }
    all.into_iter().map(|commitment| (commitment.text, commitment.commitment_id)).collect()
}

async fn remarks(suite: &Suite) -> Vec<(String, String)> {
    let client = CollectionServiceClient::new(suite.channel("feedback"));
    let all = all_pages(async |page_token| {
        let request = feedback::ListRemarksRequest { page_size: 1000, page_token, ..Default::default() };
        let page = insist!(client.list_remarks(request));
        (page.remarks, page.next_page_token)
    });
    all.await.into_iter().map(|remark| (remark.verbatim, remark.remark_id)).collect()
}

/// Each acknowledged write was told once, in the feed of its service.
pub fn feeds(feeds: &BTreeMap<&str, Vec<EventMeta>>, known: &Acknowledged) {
    let opened: Vec<&String> = known.opened.values().map(|(id, _)| id).collect();
    let cases: [(&str, &str, Vec<&String>); 6] = [
        ("customer", "customer.created", known.customers.values().collect()),
        ("customer", "consent.recorded", known.consents.values().collect()),
        ("interaction", "interaction.concluded", known.logged.values().collect()),
        ("interaction", "interaction.opened", opened),
        ("interaction", "commitment.kept", known.kept.values().collect()),
        ("feedback", "remark.recorded", known.remarks.values().collect()),
    ];
    for (service, kind, subjects) in cases {
        let mut told = BTreeMap::<&str, usize>::new();
        for event in feeds[service].iter().filter(|event| event.r#type == kind) {
            *told.entry(&event.subject_id).or_default() += 1;
        }
        for subject in subjects {
            let times = told.get(subject.as_str()).copied().unwrap_or(0);
            assert_eq!(times, 1, "{service}: {kind} of {subject} was told {times} times");
        }
    }
    for (_, entries) in known.opened.values() {
        assert_eq!(entries.len(), 3, "each opened interaction got three entries");
    }
}

/// The timelines of the customers tell what the other services' feeds told, once.
pub async fn timelines(suite: &Suite, known: &Acknowledged) {
    let client = CustomerServiceClient::new(suite.channel("customer"));
    for (name, customer_id) in &known.customers {
        let expected = [
            ("interaction.concluded", known.logged.get(name)),
            ("commitment.kept", known.kept.get(name)),
            ("remark.recorded", known.remarks.get(name)),
        ];
        let entries = rapport_testkit::until(format!("the timeline of {name} is complete"), async || {
            let request = customer::ListTimelineRequest { customer_id: customer_id.clone(), page_size: 1000, ..Default::default() };
            let page = insist!(client.list_timeline(request));
            let has = |kind: &str, subject: &str| page.entries.iter().any(|entry| entry.r#type == kind && entry.subject_id == subject);
            let complete = expected.iter().all(|(kind, subject)| subject.is_none_or(|subject| has(kind, subject)));
            complete.then_some(page.entries)
        })
        .await;
        for (kind, subject) in expected {
            let times = entries.iter().filter(|entry| entry.r#type == kind && Some(&entry.subject_id) == subject).count();
            assert_eq!(times, usize::from(subject.is_some()), "the timeline of {name} has {kind} {times} times");
        }
    }
}
