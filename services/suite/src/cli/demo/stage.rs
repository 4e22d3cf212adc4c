//! What the acts of the demo share: the clients, the people, and how a step is played and told.

use std::{path::PathBuf, time::Duration};

use rapport_proto::{common::v1 as common, customer::v1 as customer};
use rapport_telemetry::{current_trace_id, names, service};
use serde_json::json;
use tokio::time::Instant;
use tracing::Instrument;

use super::{
    super::{
        args::Demo,
        calls::Calls,
        output::{End, Out},
    },
    people::Person,
};

/// How long something that happens by itself (a feed, a sweeper, a mail) may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is looked for.
const GLANCE: Duration = Duration::from_millis(50);

pub struct Stage {
    pub calls: Calls,
    pub people: Vec<Person>,
    /// The folder of mails, or of the copies of what a mail server got.
    pub mail: PathBuf,
    pub demo: Demo,
    pub out: Out,
    /// The customer whose journey is played.
    pub heroine: customer::Customer,
    /// The journey of the reply, once there is one.
    pub journey: String,
    step: u32,
}

impl Stage {
    pub fn new(calls: Calls, people: Vec<Person>, mail: PathBuf, demo: Demo, out: Out) -> Self {
        Self { calls, people, mail, demo, out, heroine: customer::Customer::default(), journey: String::new(), step: 0 }
    }

    pub fn title(&self, text: &str) {
        if !self.out.json() {
            self.out.line(text);
        }
    }

    /// Plays a step as one trace, and tells what it shows.
    pub async fn step(&mut self, title: &str, play: impl AsyncFnOnce(&mut Calls) -> Result<String, End>) -> Result<(), End> {
        self.step += 1;
        if !self.out.json() {
            self.out.line(format_args!("\n{}. {title}", self.step));
        }
        let span = tracing::error_span!(names::COMMAND_LINE, otel.name = format!("demo step {}", self.step));
        service::begin(&span, "cli");
        let (shown, trace) = async {
            let shown = play(&mut self.calls).await?;
            Ok::<_, End>((shown, current_trace_id().unwrap_or_default()))
        }
        .instrument(span)
        .await?;
        if self.out.json() {
            self.out.object(&json!({ "step": self.step, "title": title, "shows": shown, "trace_id": trace }));
        } else {
            self.out.line(format_args!("   → {shown}\n     trace {trace}"));
        }
        Ok(())
    }

    /// Finds the first of the imported people again, by their address.
    pub async fn meet_heroine(&mut self) -> Result<(), End> {
        let filter = format!("email = \"{}\"", self.people[0].email);
        let answer = self.calls.customers.list_customers(customer::ListCustomersRequest { filter, ..Default::default() }).await?;
        self.heroine = answer.into_inner().customers.into_iter().next().ok_or_else(|| End::failed("the imported customer is not there"))?;
        Ok(())
    }

    /// The standing of the heroine once the promise that was broken has reached it.
    pub async fn risk_settled(&mut self) -> Result<customer::RiskAssessment, End> {
        let request = customer::GetRiskAssessmentRequest { customer_id: self.heroine.customer_id.clone() };
        let calls = &mut self.calls;
        until("the broken promise counts in the customer's standing", async || {
            let assessment = calls.risks.get_risk_assessment(request.clone()).await?.into_inner().assessment.unwrap_or_default();
            let told = assessment.reasons.iter().any(|reason| reason.code() == customer::RiskCode::BrokenPromise);
            Ok(told.then_some(assessment))
        })
        .await
    }
}

/// Looks for something until it is there.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Result<Option<T>, End>) -> Result<T, End> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await? {
            return Ok(found);
        }
        if Instant::now() > deadline {
            return Err(End::failed(format!("it did not come to pass within {} s that {what}", PATIENCE.as_secs())));
        }
        tokio::time::sleep(GLANCE).await;
    }
}

/// This many seconds from now, by the clock of the world.
pub fn in_seconds(seconds: i64) -> prost_types::Timestamp {
    let (now, nanos) = rapport_server::world::world().clock.now().parts();
    prost_types::Timestamp { seconds: now + seconds, nanos }
}

/// What an agent or a customer said or wrote.
pub fn entry(
    direction: common::Direction,
    kind: rapport_proto::interaction::v1::EntryKind,
    body: &str,
) -> rapport_proto::interaction::v1::Entry {
    rapport_proto::interaction::v1::Entry {
        kind: kind.into(),
        responder: common::Responder::Human.into(),
        direction: direction.into(),
        body: body.to_owned(),
        content_type: "text/plain".to_owned(),
        ..Default::default()
    }
}
