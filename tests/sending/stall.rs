//! Sites and mail servers that stall take nothing from those that do not.

use std::time::Instant;

use rapport_proto::newsletter::v1::OnUnknown;
use rapport_testkit::{
    Backend, Smtp, eventually,
    smtp::{Deed, Manners, Phase, What},
};

use super::house::{House, Worker};
use crate::torture::number;

/// Readers at sites that answer, each a little late, so that the time goes into waiting and not into this machine.
const HEALTHY: usize = 1000;
const LATE: &str = "dot.late-50+";

/// How many of the healthy ones are accepted a second, when of every five sites one does this.
async fn healthy_rate(backend: Backend, deed: Option<&str>) -> f64 {
    let smtp = Smtp::start(Manners::default()).await;
    let (count, address) = match deed {
        None => (HEALTHY, format!("'{LATE}reader' || n.i || '@site' || (n.i % 40) || '.test'")),
        // The last site of each five; of fifty sites ten stall.
        Some(deed) => (
            HEALTHY * 5 / 4,
            format!("CASE WHEN n.i % 5 = 4 THEN '{deed}+' ELSE '{LATE}' END || 'reader' || n.i || '@site' || (n.i % 50) || '.test'"),
        ),
    };
    let patience = ["command", "data", "block", "dot"].map(|phase| format!("newsletter.transport.relay.{phase}_seconds=60"));
    let settings: Vec<&str> = patience.iter().map(String::as_str).collect();
    let (house, worker) = House::open(backend, smtp.address(), count, &address, &settings).await;
    smtp.until_mail("first@first.test").await;
    rate(&house, &worker).await
}

/// How many a second are accepted of an issue to the healthy ones.
async fn rate(house: &House, worker: &Worker) -> f64 {
    let issue_id = worker.send(house, OnUnknown::Hold).await;
    worker.until(&issue_id, "it begins", |accounting| accounting.accepted > 0).await;
    let begun = Instant::now();
    let wanted = (HEALTHY - 1) as i64;
    worker.until(&issue_id, "every healthy site has its mails", |accounting| accounting.accepted >= wanted).await;
    HEALTHY as f64 / begun.elapsed().as_secs_f64()
}

/// The same beside issues to the same readers by mail servers of their own, each of which stalls in one of these phases.
async fn rate_beside_servers(backend: Backend, phases: &[(&str, Phase)]) -> f64 {
    let smtp = Smtp::start(Manners::default()).await;
    let mut stalling = Vec::new();
    let mut settings = Vec::new();
    for (name, phase) in phases {
        let server = Smtp::start(Manners { deeds: vec![Deed::always(*phase, What::Stall)], ..Manners::default() }).await;
        let (ip, port) = (server.address().ip(), server.address().port());
        settings.extend(
            [("host", ip.to_string()), ("port", port.to_string()), ("tls", "off".to_owned())]
                .map(|(key, value)| format!("newsletter.transport.{name}.{key}={value}")),
        );
        stalling.push((name, server));
    }
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    let address = format!("'{LATE}reader' || n.i || '@site' || (n.i % 40) || '.test'");
    let (house, worker) = House::open(backend, smtp.address(), HEALTHY, &address, &settings).await;
    smtp.until_mail("first@first.test").await;
    for (name, server) in &stalling {
        let publication_id = house.also(&worker, name).await;
        worker.send_to(&publication_id, OnUnknown::Hold).await;
        eventually(format!("letters wait for {name}"), async || server.most_sessions() >= 2 * LETTERS).await;
    }
    rate(&house, &worker).await
}

/// How many letters are handed over at a time, as the settings have it.
const LETTERS: usize = 16;

/// What share of their rate the healthy ones keep at least, in per cent: 90 for an optimized program on a machine that does nothing else.
/// If those that stall held up anybody, it would be next to nothing.
const USUAL: u64 = 70;

rapport_testkit::both_databases! {
    async fn sites_that_stall_in_any_phase_hold_up_nobody_else(backend: Backend) {
        let share = number("RAPPORT_TEST_STALL_SHARE", USUAL) as f64 / 100.0;
        let alone = healthy_rate(backend, None).await;
        for deed in ["rcpt.stall", "data.stall", "body.stall", "dot.stall"] {
            let beside = healthy_rate(backend, Some(deed)).await;
            println!("{deed}: {beside:.0}/s beside {alone:.0}/s without");
            assert!(beside >= share * alone, "{deed}: {beside:.0}/s, and {alone:.0}/s when no site stalls");
        }
    }

    async fn mail_servers_that_stall_before_they_hear_whom_a_mail_is_for_hold_up_no_other_server(backend: Backend) {
        let share = number("RAPPORT_TEST_STALL_SHARE", USUAL) as f64 / 100.0;
        let alone = rate_beside_servers(backend, &[]).await;
        let beside = rate_beside_servers(backend, &[("mute", Phase::Greeting), ("deaf", Phase::Ehlo), ("numb", Phase::Mail)]).await;
        println!("{beside:.0}/s beside three servers that stall, {alone:.0}/s without");
        assert!(beside >= share * alone, "{beside:.0}/s beside servers that stall, and {alone:.0}/s without");
    }
}
