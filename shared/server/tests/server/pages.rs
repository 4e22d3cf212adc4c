//! The public pages: on a port of their own, guarded.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::fixture::Fixture;

async fn get(fixture: &Fixture, path: &str) -> String {
    let address = fixture.running.as_ref().and_then(|running| running.pages).expect("it has pages");
    let mut stream = tokio::net::TcpStream::connect(address).await.expect("it listens");
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("answered");
    answer
}

#[tokio::test]
async fn a_page_tells_its_address_to_nobody_and_is_not_kept() {
    let fixture = Fixture::start(&[]).await;
    let page = get(&fixture, "/s/token").await;
    assert!(page.starts_with("HTTP/1.1 200") && page.ends_with("hello token"), "{page}");
    for guard in ["referrer-policy: no-referrer", "cache-control: no-store", "x-content-type-options: nosniff", "content-security-policy: "]
    {
        assert!(page.contains(guard), "{guard}: {page}");
    }
}

#[tokio::test]
async fn a_page_that_panics_says_sorry_and_the_others_go_on() {
    let fixture = Fixture::start(&[]).await;
    assert!(get(&fixture, "/s/panic").await.starts_with("HTTP/1.1 500"));
    assert!(get(&fixture, "/s/token").await.starts_with("HTTP/1.1 200"));
    assert!(get(&fixture, "/elsewhere").await.starts_with("HTTP/1.1 404"));
}

#[tokio::test]
async fn grpc_is_not_on_the_port_of_the_pages() {
    let fixture = Fixture::start(&[]).await;
    assert!(get(&fixture, "/rapport.customer.v1.ConsentService/CheckConsent").await.starts_with("HTTP/1.1 404"));
}
