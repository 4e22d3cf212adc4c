//! The rate of a sender, measured where the mails arrive.

use rapport_proto::newsletter::v1::{self as pb, OnUnknown, publication_service_client::PublicationServiceClient};
use rapport_testkit::{Backend, Smtp, smtp::Manners};

use super::house::House;
use crate::torture::number;

/// Mails a second; an optimized program is asked for 500, which one that is not may not reach with one session.
const USUAL: u64 = 25;

/// Sends at this rate with so many sessions; gives the rate at which mails arrived.
async fn arrived(backend: Backend, rate: u64, sessions: usize, seconds: u64) -> f64 {
    let smtp = Smtp::start(Manners { durable: false, ..Manners::default() }).await;
    let count = (rate * seconds) as usize;
    let at_a_time = format!("newsletter.letters_at_a_time={sessions}");
    let address = "'reader' || n.i || '@site' || (n.i % 100) || '.test'";
    let (house, worker) = House::open(backend, smtp.address(), count, address, &[&at_a_time]).await;
    smtp.until_mail("first@first.test").await;
    let limits = pb::SendingLimits { per_second: u32::try_from(rate).expect("small"), ..Default::default() };
    let request = pb::SetSendingLimitsRequest { sender_id: house.sender_id.clone(), limits: Some(limits), request_id: String::new() };
    PublicationServiceClient::new(worker.channel.clone()).set_sending_limits(request).await.expect("set");
    let issue_id = worker.send(&house, OnUnknown::Hold).await;
    let accounting = worker.completed(&issue_id).await;
    assert_eq!(accounting.accepted as usize, count);
    // The first one is the mail that asks to confirm; then a second in which connections are made.
    let times = smtp.times();
    let begun = times[0];
    let seconds: Vec<f64> = times[1 + rate as usize..].iter().map(|time| (*time - begun).as_secs_f64()).collect();
    let whole = slope(&seconds);
    assert!(whole <= 1.02 * rate as f64, "{whole:.1}/s in all with {sessions} sessions at a limit of {rate}/s");
    usual(&seconds, rate as usize)
}

/// The median of the rates of all stretches of one second's mails: a machine that halts for a moment slows a few of them, not most.
fn usual(seconds: &[f64], stretch: usize) -> f64 {
    let mut rates: Vec<f64> = seconds.windows(stretch + 1).map(slope).collect();
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

/// How many there are a second: the slope of the line through all of them (least squares), which one that is late hardly bends.
fn slope(seconds: &[f64]) -> f64 {
    let count = seconds.len() as f64;
    let (mean_number, mean_time) = ((count - 1.0) / 2.0, seconds.iter().sum::<f64>() / count);
    let (mut both, mut times) = (0.0, 0.0);
    for (number, time) in seconds.iter().enumerate() {
        both += (number as f64 - mean_number) * (time - mean_time);
        times += (time - mean_time).powi(2);
    }
    both / times
}

rapport_testkit::both_databases! {
    async fn a_sender_keeps_to_its_rate_with_one_session_with_ten_and_with_a_hundred(backend: Backend) {
        let (rate, seconds) = (number("RAPPORT_TEST_RATE", USUAL), number("RAPPORT_TEST_RATE_SECONDS", 6));
        for sessions in [1, 10, 100] {
            let measured = arrived(backend, rate, sessions, seconds).await;
            println!("{sessions} sessions: {measured:.1}/s at a limit of {rate}/s");
            let off = (measured / rate as f64 - 1.0).abs();
            assert!(off <= 0.02, "{measured:.1}/s with {sessions} sessions at a limit of {rate}/s");
        }
    }
}
