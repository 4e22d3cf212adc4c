//! How close agents and customers are.

use rapport_proto::{
    common::v1::watch_start::At,
    customer::v1::{self as pb, ConnectionLevel},
};
use rapport_testkit::both_databases;
use tonic::{Code, Status};

use crate::{
    feed::{events, kinds},
    running::{Running, customer, refusal, start},
};

const INTERACTION: &str = "0190163d-8694-739b-aea5-966c26f8ad91";

async fn change(running: &Running, customer_id: &str, agent: &str, level: ConnectionLevel, shown: bool) -> Result<pb::Connection, Status> {
    let request = pb::ChangeConnectionLevelRequest {
        customer_id: customer_id.to_owned(),
        agent: agent.to_owned(),
        level: level.into(),
        reason: "spoke at the fair".to_owned(),
        interaction_id: if shown { INTERACTION.to_owned() } else { String::new() },
        ..Default::default()
    };
    Ok(running.connections().change_connection_level(request).await?.into_inner().connection.expect("a bond"))
}

both_databases! {
    async fn row_3_roles_come_first_and_grow_into_persons_step_by_step(backend: Backend) {
        let running = start(backend).await;
        let ada = running.create(customer("Ada", "")).await.customer_id;
        let (code, reason, _) = refusal(change(&running, &ada, "grace", ConnectionLevel::Personal, true).await);
        assert_eq!((code, reason.as_str()), (Code::FailedPrecondition, "CONNECTION_SKIPS_LEVEL"));
        change(&running, &ada, "grace", ConnectionLevel::RoleOnly, false).await.expect("begun");
        let bare = change(&running, &ada, "grace", ConnectionLevel::Acquainted, false).await;
        assert_eq!(refusal(bare).1, "CONNECTION_WITHOUT_EVIDENCE");
        let levels = [ConnectionLevel::Acquainted, ConnectionLevel::Familiar, ConnectionLevel::Trusted, ConnectionLevel::Personal];
        for level in levels {
            change(&running, &ada, "grace", level, true).await.expect("grown");
        }
        let again = change(&running, &ada, "grace", ConnectionLevel::Personal, true).await.expect("no change");
        assert_eq!((again.etag.as_str(), again.history.len()), ("5", 5));
        assert!(again.history[1..].iter().all(|step| step.interaction_id == INTERACTION && step.actor == "local"));
        let fallen = change(&running, &ada, "grace", ConnectionLevel::RoleOnly, false).await.expect("fallen");
        assert_eq!((fallen.level(), fallen.history.len()), (ConnectionLevel::RoleOnly, 6));
        let told = events(&running, At::Earliest(true), 7).await;
        assert!(kinds(&told)[1..].iter().all(|kind| *kind == "connection.changed"));
        assert_eq!(kinds(&events(&running, At::Snapshot(true), 2).await), ["customer.updated", "connection.changed"]);
        running.stop().await;
    }

    async fn bonds_are_listed_by_agent_page_by_page(backend: Backend) {
        let running = start(backend).await;
        let ada = running.create(customer("Ada", "")).await.customer_id;
        for agent in ["grace", "bea", "cid"] {
            change(&running, &ada, agent, ConnectionLevel::RoleOnly, false).await.expect("begun");
        }
        let mut request = pb::ListConnectionsRequest { customer_id: ada, page_size: 2, ..Default::default() };
        let first = running.connections().list_connections(request.clone()).await.expect("listed").into_inner();
        request.page_token = first.next_page_token.clone();
        let second = running.connections().list_connections(request).await.expect("listed").into_inner();
        let agents: Vec<String> = first.connections.into_iter().chain(second.connections).map(|bond| bond.agent).collect();
        assert_eq!((agents, second.next_page_token.as_str()), (vec!["bea".to_owned(), "cid".to_owned(), "grace".to_owned()], ""));
        let wrong = pb::ChangeConnectionLevelRequest { agent: "Grace".to_owned(), interaction_id: "x".to_owned(), ..Default::default() };
        let fields = refusal(running.connections().change_connection_level(wrong).await).2;
        assert_eq!(fields, ["customer_id", "agent", "level", "reason", "interaction_id"]);
        running.stop().await;
    }
}
