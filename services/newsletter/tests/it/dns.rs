//! What the DNS says of a sender, asked of a server in the test's hands.

use std::{collections::HashMap, net::SocketAddr, time::Instant};

use rapport_proto::newsletter::v1::{self as pb, SenderCheckKind as Kind, SenderCheckOutcome as Outcome};
use rapport_testkit::{both_databases, process::free_ports};
use tokio::net::UdpSocket;

use crate::newsletter::Newsletter;

/// Records by type and name: 16 for TXT, 15 for MX.
type Zone = HashMap<(u16, String), Vec<Vec<u8>>>;

fn txt(text: &str) -> Vec<u8> {
    // Texts of more than 255 octets come in parts (RFC 1035, section 3.3.14).
    text.as_bytes().chunks(255).flat_map(|part| [&[part.len() as u8], part].concat()).collect()
}

fn mx(name: &str) -> Vec<u8> {
    let labels = name.split('.').flat_map(|label| [&[label.len() as u8], label.as_bytes()].concat());
    [0, 10].into_iter().chain(labels).chain([0]).collect()
}

/// A DNS server that knows a zone and answers "no such name" to anything else (RFC 1035, section 4).
async fn serve(zone: Zone) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
    let address = socket.local_addr().expect("an address");
    tokio::spawn(async move {
        let mut asked = [0; 1500];
        while let Ok((_, client)) = socket.recv_from(&mut asked).await {
            let (mut at, mut labels) = (12, Vec::new());
            while asked[at] != 0 {
                let length = usize::from(asked[at]);
                labels.push(String::from_utf8_lossy(&asked[at + 1..=at + length]).to_lowercase());
                at += length + 1;
            }
            let kind = u16::from_be_bytes([asked[at + 1], asked[at + 2]]);
            let records = zone.get(&(kind, labels.join("."))).cloned().unwrap_or_default();
            let (code, count) = (if records.is_empty() { 3 } else { 0 }, records.len() as u8);
            let mut answer = asked[..2].to_vec();
            answer.extend([0x81, 0x80 | code, 0, 1, 0, count, 0, 0, 0, 0]);
            answer.extend_from_slice(&asked[12..at + 5]);
            for record in records {
                answer.extend([0xc0, 12]);
                answer.extend(kind.to_be_bytes());
                answer.extend([0, 1, 0, 0, 0, 60]);
                answer.extend((record.len() as u16).to_be_bytes());
                answer.extend(record);
            }
            let _sent = socket.send_to(&answer, client).await;
        }
    });
    address
}

async fn sender(house: &Newsletter) -> String {
    let sender = pb::Sender {
        from_name: "The Shop".to_owned(),
        from_address: "news@shop.example".to_owned(),
        reply_domain: "reply.shop.example".to_owned(),
        bounce_domain: "bounce.shop.example".to_owned(),
        ..Default::default()
    };
    let request = pb::CreateSenderRequest { sender: Some(sender), ..Default::default() };
    house.publications.clone().create_sender(request).await.expect("sound").into_inner().sender.expect("it").sender_id
}

async fn checks(house: &Newsletter, sender_id: &str) -> Vec<pb::SenderCheck> {
    let request = pb::CheckSenderRequest { sender_id: sender_id.to_owned() };
    house.publications.clone().check_sender(request).await.expect("it is there").into_inner().checks
}

fn outcomes(checks: &[pb::SenderCheck]) -> Vec<(Kind, Outcome)> {
    checks.iter().map(|check| (check.kind(), check.outcome())).collect()
}

both_databases! {
    async fn a_sender_is_told_what_to_publish_until_all_is_there(backend: Backend) {
        let name = |name: &str| name.to_owned();
        // What others derived from the same private key.
        let record = crate::mails::RSA_RECORD;
        let zone = Zone::from([
            ((16, name("bounce.shop.example")), vec![txt("some=thing"), txt("v=spf1 mx -all")]),
            ((16, name("news._domainkey.shop.example")), vec![txt(record)]),
            ((16, name("_dmarc.shop.example")), vec![txt("v=DMARC1; p=reject")]),
            ((15, name("reply.shop.example")), vec![mx("mx.shop.example")]),
            ((15, name("bounce.shop.example")), vec![mx("mx.shop.example")]),
        ]);
        let (full, empty) = (serve(zone).await.to_string(), serve(Zone::new()).await.to_string());
        let key = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/dkim/rsa.pem");
        let signing = [("newsletter.dkim.main.domain", "shop.example"), ("newsletter.dkim.main.selector", "news"), ("newsletter.dkim.main.private_key_file", key)];

        let house = Newsletter::start_with(backend, &[&signing[..], &[("newsletter.dns_server", full.as_str())]].concat()).await;
        let found = checks(&house, &sender(&house).await).await;
        let wanted = [Kind::Spf, Kind::Dkim, Kind::Dmarc, Kind::Mx, Kind::Mx].map(|kind| (kind, Outcome::Passed));
        assert_eq!(outcomes(&found), wanted, "{found:?}");
        house.stop().await;

        let house = Newsletter::start_with(backend, &[&signing[..], &[("newsletter.dns_server", empty.as_str())]].concat()).await;
        let found = checks(&house, &sender(&house).await).await;
        assert!(found.iter().all(|check| check.outcome() == Outcome::Missing), "{found:?}");
        assert!(found[1].detail.contains(record), "it says the very record: {found:?}");
        house.stop().await;
    }

    async fn without_a_dns_that_is_said_in_time(backend: Backend) {
        let [port] = free_ports::<1>();
        let house = Newsletter::start_with(backend, &[("newsletter.dns_server", &format!("127.0.0.1:{port}"))]).await;
        let sender = sender(&house).await;
        let begun = Instant::now();
        let found = checks(&house, &sender).await;
        assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());
        assert_eq!(outcomes(&found)[0], (Kind::Spf, Outcome::Unavailable), "{found:?}");
        assert_eq!(outcomes(&found)[1], (Kind::Dkim, Outcome::Missing), "no key is set: {found:?}");
        assert!(found.iter().skip(2).all(|check| check.outcome() == Outcome::Unavailable && check.detail.contains("DNS")), "{found:?}");
        let request = pb::CheckSenderRequest { sender_id: "0190163d-8694-739b-aea5-966c26f8ad91".to_owned() };
        assert_eq!(house.publications.clone().check_sender(request).await.expect_err("none").code(), tonic::Code::NotFound);
        house.stop().await;
    }
}
