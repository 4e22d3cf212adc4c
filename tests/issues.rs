//! `rapport issue` as batch jobs meet it: a real process, answers and exit codes.

use std::net::SocketAddr;

use rapport_proto::newsletter::v1::{
    self as pb, issue_service_client::IssueServiceClient, publication_service_client::PublicationServiceClient,
};
use rapport_testkit::{
    Backend,
    process::{Program, binary, free_ports},
};
use tonic::transport::{Channel, Endpoint};

/// A draft of a publication that nobody reads.
async fn draft(channel: Channel) -> String {
    let mut publications = PublicationServiceClient::new(channel.clone());
    let sender = pb::Sender {
        from_name: "The Shop".to_owned(),
        from_address: "news@shop.example".to_owned(),
        transport: "outbox".to_owned(),
        ..Default::default()
    };
    let request = pb::CreateSenderRequest { sender: Some(sender), ..Default::default() };
    let sender_id = publications.create_sender(request).await.expect("sound").into_inner().sender.expect("it").sender_id;
    let publication =
        pb::Publication { display_name: "Monthly".to_owned(), sender_id, cadence: pb::Cadence::Monthly.into(), ..Default::default() };
    let request = pb::CreatePublicationRequest { publication: Some(publication), ..Default::default() };
    let publication = publications.create_publication(request).await.expect("sound").into_inner().publication.expect("it");
    let issue = pb::Issue {
        publication_id: publication.publication_id,
        subject: "News".to_owned(),
        text: "What is new.".to_owned(),
        ..Default::default()
    };
    let request = pb::CreateIssueRequest { issue: Some(issue), ..Default::default() };
    IssueServiceClient::new(channel).create_issue(request).await.expect("sound").into_inner().issue.expect("it").issue_id
}

#[test]
fn the_exit_code_tells_a_job_what_came_of_an_issue() {
    rapport_testkit::run(async {
        let database = Backend::Sqlite.database().await;
        let [port] = free_ports::<1>();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let rapport = || Program::new(binary("rapport"));
        let served = rapport().args(["serve", "newsletter", "--data"]).arg(database.directory());
        let mut process = served.args(["--set", &format!("newsletter.listen={address}")]).start();
        process.until_serving(address).await;
        let channel = Endpoint::from_shared(format!("http://{address}")).expect("an address").connect_lazy();
        let issue = draft(channel).await;
        let steps: [(&[&str], i32, &str); 9] = [
            (&["schedule", &issue, "--at", "tomorrow"], 2, "2026-12-01T09:00:00Z"),
            (&["schedule", &issue, "--at", "1999-12-31T00:00:00Z"], 2, "future"),
            (&["schedule", &issue, "--at", "2999-12-31T00:00:00Z", "--max-lateness-minutes", "5"], 0, "scheduled"),
            (&["schedule", &issue], 0, "draft"),
            (&["send", &issue, "--watch"], 0, "completed: audience 0"),
            (&["send", &issue, "--watch"], 5, "completed: audience 0"),
            (&["send", &issue], 5, "completed"),
            (&["resolve", &issue, "--to", "resend", "--reason", "their log"], 0, "0 settled"),
            (&["pause", &issue], 1, "completed"),
        ];
        for (arguments, code, told) in steps {
            let set = format!("client.newsletter=http://{address}");
            let (output, errors, ended) = rapport().arg("issue").args(arguments).args(["--set", &set]).run().await;
            assert_eq!(ended, Some(code), "{arguments:?}: {output}{errors}");
            assert!(format!("{output}{errors}").to_lowercase().contains(&told.to_lowercase()), "{arguments:?}: {output}{errors}");
        }
        drop(process);
    });
}
