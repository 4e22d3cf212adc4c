//! What is sent again, how often, and what arrives.

use std::time::Duration;

use rapport_client::{ConnectError, PeerSettings, Problem, RetrySettings, Secret, connect};
use rapport_proto::customer::v1::{self as pb, customer_service_client::CustomerServiceClient};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::scripted::{Reply, Scripted};

fn quick() -> PeerSettings {
    let pause = Duration::from_millis(1);
    PeerSettings { retry: RetrySettings { pause, longest_pause: pause, ..RetrySettings::default() }, ..PeerSettings::default() }
}

fn client(server: &Scripted, settings: &PeerSettings) -> CustomerServiceClient<rapport_client::Peer> {
    CustomerServiceClient::new(connect(&server.url(), settings).expect("an address"))
}

fn away() -> Reply {
    Reply::Refuse(Status::unavailable("not now"))
}

#[tokio::test]
async fn reading_is_sent_again_while_the_service_is_unavailable() {
    let found = pb::GetCustomerResponse::default();
    let server = Scripted::start(move |number, _| if number < 2 { away() } else { Reply::message(&found) }).await;
    let request = pb::GetCustomerRequest { customer_id: "0199".into() };
    client(&server, &quick()).get_customer(request).await.expect("the third attempt is answered");
    let arrived = server.arrived();
    assert_eq!(arrived.len(), 3);
    assert!(arrived.iter().all(|call| call.method == "GetCustomer" && call.body == arrived[0].body && call.body.len() > 5));
    assert!(arrived.iter().all(|call| call.headers["user-agent"].to_str().is_ok_and(|agent| agent.starts_with("rapport/"))));
}

#[tokio::test]
async fn a_mutation_is_sent_again_only_with_a_request_id() {
    let server = Scripted::start(|_, _| away()).await;
    let mut client = client(&server, &quick());
    let refused = client.create_customer(pb::CreateCustomerRequest::default()).await.expect_err("unavailable");
    assert_eq!((refused.code(), server.arrived().len()), (Code::Unavailable, 1));
    let request = pb::CreateCustomerRequest { request_id: "r1".into(), ..Default::default() };
    client.create_customer(request).await.expect_err("unavailable");
    assert_eq!(server.arrived().len(), 1 + 4, "one call, and another with all its attempts");
}

#[tokio::test]
async fn other_refusals_are_not_sent_again() {
    let server = Scripted::start(|_, _| Reply::Refuse(Status::resource_exhausted("too much"))).await;
    let refused = client(&server, &quick()).get_customer(pb::GetCustomerRequest::default()).await.expect_err("refused");
    assert_eq!((refused.code(), server.arrived().len()), (Code::ResourceExhausted, 1));
}

#[tokio::test]
async fn a_stream_of_requests_is_never_sent_again() {
    let server = Scripted::start(|_, _| away()).await;
    let rows = futures::stream::iter([pb::ImportCustomersRequest::default()]);
    let refused = client(&server, &quick()).import_customers(rows).await.expect_err("unavailable");
    assert_eq!((refused.code(), server.arrived().len()), (Code::Unavailable, 1));
}

#[tokio::test]
async fn an_outage_is_not_made_worse_than_the_budget_allows() {
    let server = Scripted::start(|_, _| away()).await;
    let mut settings = quick();
    settings.retry = RetrySettings { attempts: 2, budget_percent: 20, budget_reserve: 2, ..settings.retry };
    let mut client = client(&server, &settings);
    for _ in 0..10 {
        client.get_customer(pb::GetCustomerRequest::default()).await.expect_err("unavailable");
    }
    // Ten calls, the reserve of two, and one more that the first five earned.
    assert_eq!(server.arrived().len(), 13);
}

#[tokio::test]
async fn a_pause_that_the_service_asks_for_and_the_deadline_forbids_ends_the_call_at_once() {
    let server = Scripted::start(|_, _| {
        let details = ErrorDetails::with_retry_info(Some(Duration::from_secs(60)));
        Reply::Refuse(Status::with_error_details(Code::Unavailable, "migrating", details))
    })
    .await;
    let refused = client(&server, &quick()).get_customer(pb::GetCustomerRequest::default()).await.expect_err("unavailable");
    assert_eq!(server.arrived().len(), 1);
    assert_eq!(Problem::from(refused).sentences(), ["migrating", "try again in 60 s"]);
}

#[tokio::test]
async fn a_pause_that_the_service_asks_for_is_kept() {
    let asked = Duration::from_millis(60);
    let server = Scripted::start(move |number, _| match number {
        0 => Reply::Refuse(Status::with_error_details(Code::Unavailable, "soon", ErrorDetails::with_retry_info(Some(asked)))),
        _ => Reply::message(&pb::GetCustomerResponse::default()),
    })
    .await;
    let since = std::time::Instant::now();
    client(&server, &quick()).get_customer(pb::GetCustomerRequest::default()).await.expect("the second attempt is answered");
    assert!(since.elapsed() >= asked, "{:?}", since.elapsed());
}

#[tokio::test]
async fn the_key_arrives_and_is_never_printed() {
    let server = Scripted::start(|_, _| Reply::message(&pb::GetCustomerResponse::default())).await;
    let settings = PeerSettings { api_key: Some(Secret::new("k3y")), ..quick() };
    assert!(!format!("{settings:?}").contains("k3y"));
    client(&server, &settings).get_customer(pb::GetCustomerRequest::default()).await.expect("an answer");
    assert_eq!(server.arrived()[0].headers["authorization"], "Bearer k3y");
}

#[tokio::test]
async fn a_service_that_is_not_there_is_told_with_what_to_do_and_found_once_it_is() {
    let gone = Scripted::start(|_, _| away()).await;
    let address = gone.kill().await;
    let peer = connect(&format!("http://{address}"), &quick()).expect("an address");
    let mut client = CustomerServiceClient::new(peer);
    let refused = client.get_customer(pb::GetCustomerRequest::default()).await.expect_err("nobody listens");
    assert_eq!(refused.code(), Code::Unavailable);
    assert!(refused.message().starts_with(&format!("cannot reach http://{address}")), "{}", refused.message());

    let _server = Scripted::start_at(address, None, |_, _| Reply::message(&pb::GetCustomerResponse::default())).await;
    client.get_customer(pb::GetCustomerRequest::default()).await.expect("it is there now");
}

#[tokio::test]
async fn a_service_that_is_killed_in_the_middle_of_reading_is_asked_again_when_it_is_back() {
    let (arrives, mut arrived) = tokio::sync::mpsc::unbounded_channel();
    let first = Scripted::start(move |_, _| {
        arrives.send(()).expect("the test listens");
        Reply::Silence
    })
    .await;
    let mut settings = quick();
    settings.retry = RetrySettings { attempts: 100, budget_reserve: 100, longest_pause: Duration::from_millis(20), ..settings.retry };
    let mut client = client(&first, &settings);
    let reading = tokio::spawn(async move { client.get_customer(pb::GetCustomerRequest::default()).await });
    arrived.recv().await.expect("the call arrives");
    let address = first.kill().await;
    let _second = Scripted::start_at(address, None, |_, _| Reply::message(&pb::GetCustomerResponse::default())).await;
    reading.await.expect("no panic").expect("the second server answers");
}

#[tokio::test]
async fn a_change_that_a_killed_service_may_have_made_is_told_as_unavailable() {
    let (arrives, mut arrived) = tokio::sync::mpsc::unbounded_channel();
    let server = Scripted::start(move |_, _| {
        arrives.send(()).expect("the test listens");
        Reply::Silence
    })
    .await;
    let mut client = client(&server, &quick());
    let changing = tokio::spawn(async move { client.create_customer(pb::CreateCustomerRequest::default()).await });
    arrived.recv().await.expect("the call arrives");
    server.kill().await;
    let refused = changing.await.expect("no panic").expect_err("the connection is broken");
    assert_eq!(refused.code(), Code::Unavailable, "{refused}");
}

#[tokio::test]
async fn what_is_no_address_is_refused_with_what_one_looks_like() {
    for wrong in ["", "localhost:50051", "ftp://localhost", "http://", "http://local host"] {
        let error = connect(wrong, &PeerSettings::default()).expect_err(wrong);
        assert!(matches!(error, ConnectError::Address { .. }) && error.to_string().contains("http://HOST:PORT"), "{error}");
    }
    let settings = PeerSettings { api_key: Some(Secret::new("a\nb")), ..PeerSettings::default() };
    assert!(matches!(connect("http://localhost:1", &settings), Err(ConnectError::Key)));
}
