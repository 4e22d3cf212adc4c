//! Sites that stall take nothing from those that do not.

use std::time::Instant;

use rapport_proto::newsletter::v1::OnUnknown;
use rapport_testkit::{Backend, Smtp, smtp::Manners};

use super::house::House;
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
    let issue_id = worker.send(&house, OnUnknown::Hold).await;
    worker.until(&issue_id, "it begins", |accounting| accounting.accepted > 0).await;
    let begun = Instant::now();
    let wanted = (HEALTHY - 1) as i64;
    worker.until(&issue_id, "every healthy site has its mails", |accounting| accounting.accepted >= wanted).await;
    HEALTHY as f64 / begun.elapsed().as_secs_f64()
}

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
}
