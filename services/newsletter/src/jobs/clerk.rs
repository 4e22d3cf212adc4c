//! Hands over one letter, its attempt committed before its final dot leaves.

use std::sync::Arc;

use rapport_telemetry::{
    meter::{self, KeyValue},
    names, propagate, service,
};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::{Work, committer::Committer, desk::Ended, leases::Leases, letter};
use crate::{
    NAME,
    app::{
        claim::Work as Leased,
        ledger::{Step, Stepped},
    },
    domain::{Courtesy, Delivery, Held, Reply, Report, SmtpPhase, Verdict, outcome::courtesy},
    mail::End,
};

/// Hands over letters.
#[derive(Clone)]
pub(super) struct Clerk {
    pub work: Work,
    pub leases: Leases,
    pub committer: Committer,
    pub writer: Arc<letter::Writer>,
    pub stop: CancellationToken,
}

impl Clerk {
    pub async fn deliver(&self, leased: Leased, slot: Instant) -> Ended {
        let span = tracing::info_span!(
            parent: None,
            names::SEND,
            otel.kind = "producer",
            { names::MESSAGING_SYSTEM } = "smtp",
            { names::MESSAGING_OPERATION_TYPE } = "send",
            { names::MESSAGING_DESTINATION_NAME } = leased.sender.transport.as_str(),
            { names::MESSAGING_MESSAGE_ID } = leased.delivery.mail_message_id.as_str(),
            { names::RAPPORT_JOURNEY_ID } = %leased.delivery.journey,
        );
        service::begin(&span, NAME);
        if let Some(traceparent) = &leased.delivery.traceparent {
            propagate::link(&span, traceparent);
        }
        let (begun, issue) = (slot.max(Instant::now()), leased.delivery.issue);
        let ended = self.hand_over(leased, slot).instrument(span).await;
        let Some((verdict, courtesy)) = ended else { return Ended { courtesy: Courtesy::Neither, stopped: issue } };
        let outcome = [KeyValue::new(names::RAPPORT_DELIVERY_OUTCOME, verdict.to_string())];
        meter::counter(names::MAIL_DELIVERIES).add(1, &outcome);
        meter::histogram(names::MAIL_SEND_DURATION).record(begun.elapsed().as_secs_f64(), &outcome);
        Ended { courtesy, stopped: None }
    }

    /// What the attempt led to and what it tells of the site; none when nothing was tried.
    async fn hand_over(&self, leased: Leased, slot: Instant) -> Option<(Verdict, Courtesy)> {
        let held = leased.held.clone();
        let before = |verdict, text: String| End { phase: SmtpPhase::Connect, verdict, reply: Reply::without(text) };
        let public_url = self.work.host.public_url(NAME);
        let house = letter::House { keys: &self.work.keys, signers: &self.work.signers, public_url: &public_url };
        let letter = match self.writer.write(&leased, house, held.start_time) {
            Ok(letter) => letter,
            Err(why) => return self.note(held, None, before(Verdict::Failed, why)).await,
        };
        let Some(transport) = self.work.transports.get(&leased.sender.transport) else {
            let why = format!("the settings have no transport {:?}: add newsletter.transport.{0}", leased.sender.transport);
            return self.note(held, None, before(Verdict::Deferred, why)).await;
        };
        sleep_until(slot).await;
        let prepared = match transport.prepare(&letter).await {
            Ok(prepared) => prepared,
            Err(ended) => return self.note(held, None, ended).await,
        };
        if self.stop.is_cancelled() || !self.leases.good(held.delivery) {
            drop(prepared);
            self.settle(Step::Release(held)).await;
            return None;
        }
        let Delivery { issue, subscription, .. } = leased.delivery;
        let start = Step::Start { held: held.clone(), issue, subscription, repeatable: transport.repeatable() };
        let Some(Stepped::Go(number)) = self.committer.step(start).await else {
            // Dropped before its dot: the letter was not sent.
            drop(prepared);
            self.settle(Step::Release(held)).await;
            return None;
        };
        // Committing may have taken long.
        if !self.leases.good(held.delivery) {
            drop(prepared);
            let late = before(Verdict::Deferred, "the lease was about to run out before the final dot".into());
            let (verdict, _) = self.note(held, Some(number), End { phase: SmtpPhase::Data, ..late }).await?;
            return Some((verdict, Courtesy::Neither));
        }
        let ended = prepared.finish().await;
        self.note(held, Some(number), ended).await
    }

    async fn note(&self, held: Held, in_flight: Option<i32>, End { phase, verdict, reply }: End) -> Option<(Verdict, Courtesy)> {
        let courtesy = courtesy(phase, verdict, &reply);
        self.settle(Step::End(Report { held, in_flight, phase, verdict, reply })).await;
        Some((verdict, courtesy))
    }

    /// Hands the last step of an attempt to the committer. The next letter need not wait until it is stored: steps are committed in
    /// their order, so its dot, which is committed before it leaves, leaves after this.
    async fn settle(&self, step: Step) {
        let (id, leases) = (step.held().delivery, self.leases.clone());
        let Some(stored) = self.committer.post(step).await else { return leases.drop(id) };
        // Until then the lease is renewed.
        tokio::spawn(async move {
            let _ = stored.await;
            leases.drop(id);
        });
    }
}
