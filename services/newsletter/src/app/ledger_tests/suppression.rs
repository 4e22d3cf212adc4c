//! An address that does not exist: suppressed, and told, when its mail is refused.

use rapport_core::{Failure, Never};
use rapport_db::{feed, relay};
use rapport_testkit::{both_databases, until};
use tokio_util::sync::CancellationToken;

use super::House;
use crate::{
    app::{claim::Work, ledger::Step},
    domain::{Event, Reply, Report, SmtpPhase, SuppressionReason, Verdict},
};

fn refused(work: &Work, enhanced: &str) -> Step {
    let reply = Reply { code: 550, enhanced: enhanced.to_owned(), text: "<reader0@example.com> is unknown".to_owned() };
    Step::End(Report { held: work.held.clone(), in_flight: None, phase: SmtpPhase::Rcpt, verdict: Verdict::Rejected, reply })
}

both_databases! {
    async fn an_address_that_does_not_exist_is_told_with_its_refusal(backend: Backend) {
        let house = House::new(backend).await;
        let stop = CancellationToken::new();
        tokio::spawn(relay::run(house.database.clone(), "relay".to_owned(), stop.clone()));
        house.issue(2).await;
        let work = house.claim("worker", 2).await;
        let [nobody, blocked] = work.as_slice() else { panic!("two readers") };
        // One is unknown to the server, of the other it only dislikes the mail.
        house.step(&[refused(nobody, "5.1.1"), refused(blocked, "5.7.1")]).await;
        let events = until("everything is told", async || {
            let read = async |conn: &mut rapport_db::Conn<'_>| -> Result<_, Failure<Never>> { Ok(feed::after(conn, 0, &[], 100).await?) };
            let events = house.database.read(read).await.expect("read");
            Some(events).filter(|events| events.iter().filter(|event| event.kind == "delivery.rejected").count() == 2)
        })
        .await;
        stop.cancel();
        let told: Vec<_> = events.into_iter().filter(|event| event.kind == "suppression.created").collect();
        assert_eq!(told.len(), 1, "{told:?}");
        let Event::SuppressionCreated(address) = serde_json::from_value(told[0].payload.clone()).expect("ours") else { panic!("{told:?}") };
        assert_eq!((address.email.as_str(), address.suppression.reason), (nobody.delivery.email.as_str(), SuppressionReason::HardBounce));
        assert_eq!(address.suppression.evidence, format!("delivery {}: 550 5.1.1", nobody.delivery.id));
        assert_eq!((told[0].subject, told[0].journey), (crate::domain::suppression::subject(&address.suppression.mark), Some(nobody.delivery.journey)));
    }
}
