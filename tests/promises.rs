//! `rapport promises`: what is broken and what is still to be kept, for people and for programs.

use std::net::SocketAddr;

use rapport_proto::{
    common::v1 as common,
    interaction::v1::{
        self as pb, commitment_service_client::CommitmentServiceClient, interaction_service_client::InteractionServiceClient,
    },
};
use rapport_testkit::{
    Backend, eventually,
    process::{Program, binary, free_ports},
};
use serde_json::Value;

/// A promise of Ada's, due so many seconds from now.
fn promise(interaction_id: &str, text: &str, seconds: i64) -> pb::Commitment {
    let now = rapport_server::world::world().clock.now().parts().0;
    pb::Commitment {
        interaction_id: interaction_id.to_owned(),
        owner: "ada".to_owned(),
        kind: pb::CommitmentKind::CallBack.into(),
        text: text.to_owned(),
        due_time: Some(prost_types::Timestamp { seconds: now + seconds, nanos: 0 }),
        grace: Some(prost_types::Duration::default()),
        ..Default::default()
    }
}

#[test]
fn what_is_broken_is_shown_before_what_is_still_to_be_kept() {
    rapport_testkit::run(async {
        let place = Backend::Sqlite.database().await;
        let [port] = free_ports::<1>();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let rapport = || Program::new(binary("rapport"));
        let mut process = rapport()
            .args(["serve", "interaction", "--data"])
            .arg(place.directory())
            .args(["--set", &format!("interaction.listen={address}")])
            .start();
        process.until_serving(address).await;
        let peer = rapport_client::connect(&format!("http://{address}"), &rapport_client::PeerSettings::default()).expect("an address");
        let met = pb::Interaction {
            function: common::BusinessFunction::Sales.into(),
            purpose: pb::Purpose::Sale.into(),
            kind: common::InteractionKind::Unpredictable.into(),
            setting: common::Setting::Informal.into(),
            channel: common::Channel::Street.into(),
            direction: common::Direction::Inbound.into(),
            ..Default::default()
        };
        let met = InteractionServiceClient::new(peer.clone())
            .create_interaction(pb::CreateInteractionRequest { interaction: Some(met), ..Default::default() })
            .await
            .expect("it is created");
        let met = met.into_inner().interaction.expect("it is answered").interaction_id;
        let mut commitments = CommitmentServiceClient::new(peer);
        let mut made = Vec::new();
        for (text, seconds) in [("We bring the large box.", 2 * 86_400), ("We call you back.", 1)] {
            let request = pb::CreateCommitmentRequest { commitment: Some(promise(&met, text, seconds)), ..Default::default() };
            made.push(commitments.create_commitment(request).await.expect("it is made").into_inner().commitment.expect("it is answered"));
        }
        let callback = &made[1].commitment_id;
        eventually("the callback is broken", async || {
            let request = pb::GetCommitmentRequest { commitment_id: callback.clone() };
            let found = commitments.clone().get_commitment(request).await.expect("it is there").into_inner().commitment;
            found.is_some_and(|found| found.state() == pb::CommitmentState::Broken)
        })
        .await;

        let told = async |arguments: &[&str]| {
            let told = rapport().args(arguments).args(["--set", &format!("client.interaction=http://{address}")]).run().await;
            assert_eq!(told.2, Some(0), "{}{}", told.0, told.1);
            told.0
        };
        let lines = told(&["promises", "--owner", "ada"]).await;
        let lines: Vec<&str> = lines.lines().collect();
        assert!(lines[0].starts_with("BROKEN") && lines[0].contains("overdue by") && lines[0].contains("We call you back."), "{lines:?}");
        assert!(lines[1].starts_with("OPEN") && lines[1].contains("due in 1 d 23 h"), "{lines:?}");
        assert_eq!(lines[2], "0 % kept as agreed: 0 kept, 0 kept late, 1 broken, 1 open, 0 released, 0 cancelled");
        let overdue = told(&["promises", "--overdue", "--json"]).await;
        let overdue: Vec<Value> = overdue.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!(
            (overdue.len(), &overdue[0]["commitment_id"], &overdue[0]["overdue"]),
            (1, &Value::from(callback.as_str()), &Value::from(true))
        );
        assert_eq!(told(&["promises", "--owner", "grace"]).await.lines().next(), Some("no promise is open or broken"));
        process.terminate().await;
    });
}
