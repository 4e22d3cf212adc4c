//! Senders and publications.

use async_trait::async_trait;
use rapport_core::{Context, Violations};
use rapport_proto::newsletter::v1::{self as pb, publication_service_server::PublicationService};
use rapport_server::{Mutation, context, lookup, mutate};
use tonic::{Request, Response, Status};

use super::{Api, read, write};
use crate::{
    app::{
        pace::{self, SetSendingLimits},
        publication::{self, CreatePublication, CreateSender},
    },
    domain::{
        Cadence, PublicationKind,
        pace::{Limits, WarmUp},
        sender,
    },
};

impl Api {
    fn new_sender(&self, request: &pb::CreateSenderRequest, cx: &Context) -> Result<CreateSender, Status> {
        let mut violations = Violations::new();
        let given = request.sender.clone().unwrap_or_default();
        let id = read::new_id(&mut violations, "sender_id", &request.sender_id, cx);
        let from_name = violations.text("sender.from_name", &given.from_name, 100);
        let from_address = read::plain_email(&mut violations, "sender.from_address", &given.from_address);
        let domain = |violations: &mut Violations, field: &str, text: &str| match sender::parse_domain(text) {
            Ok(domain) => Some(domain),
            Err(problem) => {
                violations.add(field, problem);
                None
            }
        };
        let own = from_address.as_ref().map(|address| address.domain().to_lowercase());
        let reply_domain =
            if given.reply_domain.is_empty() { own } else { domain(&mut violations, "sender.reply_domain", &given.reply_domain) };
        let bounce_domain = if given.bounce_domain.is_empty() {
            reply_domain.clone()
        } else {
            domain(&mut violations, "sender.bounce_domain", &given.bounce_domain)
        };
        let transport = if given.transport.is_empty() { sender::OUTBOX.to_owned() } else { given.transport };
        if !self.transports.contains(&transport) {
            let mut known: Vec<&str> = self.transports.iter().map(String::as_str).collect();
            known.sort_unstable();
            let known = known.join(", ");
            violations.add("sender.transport", format!("{transport:?} is no transport of the settings with a host: use one of {known}"));
        }
        let brand_name = violations.text_optional("sender.brand_name", &given.brand_name, 100);
        let brand_color = violations.parse_optional("sender.brand_color", &given.brand_color);
        let command = (|| {
            let (reply_domain, bounce_domain, brand_name) = (reply_domain?, bounce_domain?, brand_name?);
            let (id, from_name, from_address) = (id?, from_name?, from_address?);
            Some(CreateSender { id, from_name, from_address, reply_domain, bounce_domain, transport, brand_name, brand_color })
        })();
        read::finish(violations, command)
    }
}

fn new_publication(request: &pb::CreatePublicationRequest, cx: &Context) -> Result<CreatePublication, Status> {
    let mut violations = Violations::new();
    let given = request.publication.clone().unwrap_or_default();
    let id = read::new_id(&mut violations, "publication_id", &request.publication_id, cx);
    let display_name = violations.text("publication.display_name", &given.display_name, 100);
    let description = violations.text_optional("publication.description", &given.description, 1000);
    let sender = violations.parse("publication.sender_id", &given.sender_id);
    let cadence = violations.word_optional("publication.cadence", given.cadence).unwrap_or(Cadence::Irregular);
    let kind = violations.word_optional("publication.kind", given.kind).unwrap_or(PublicationKind::Newsletter);
    let command = (|| {
        let (display_name, description) = (display_name?, description?);
        Some(CreatePublication { id: id?, display_name, description, sender: sender?, kind, cadence, track_clicks: given.track_clicks })
    })();
    read::finish(violations, command)
}

/// The most mails a second that a limit may say, and a day.
const MAX_PER_SECOND: u32 = 10_000;
const MAX_PER_DAY: u32 = 100_000_000;

fn sending_limits(request: &pb::SetSendingLimitsRequest) -> Result<SetSendingLimits, Status> {
    let mut violations = Violations::new();
    let sender = violations.parse("sender_id", &request.sender_id);
    let pb::SendingLimits { per_second, per_day, warm_up } = request.limits.unwrap_or_default();
    if request.limits.is_none() {
        violations.add("limits", "is required: give an empty one to lift all limits");
    }
    let mut number = |field: &str, value: u32, least: u32, most: u32| {
        if !(least..=most).contains(&value) {
            violations.add(format!("limits.{field}"), format!("must be from {least} to {most}"));
        }
        i32::try_from(value).unwrap_or_default()
    };
    let (per_second, per_day) = (number("per_second", per_second, 0, MAX_PER_SECOND), number("per_day", per_day, 0, MAX_PER_DAY));
    let warm_up = warm_up.map(|pb::WarmUp { first_day, growth_percent, days }| WarmUp {
        first_day: number("warm_up.first_day", first_day, 1, MAX_PER_DAY),
        growth_percent: number("warm_up.growth_percent", growth_percent, 1, 900),
        days: number("warm_up.days", days, 1, 365),
    });
    let limits = Limits { per_second, per_day, warm_up };
    read::finish(violations, sender.map(|sender| SetSendingLimits { sender, limits }))
}

#[async_trait]
impl PublicationService for Api {
    async fn get_sender(&self, request: Request<pb::GetSenderRequest>) -> Result<Response<pb::GetSenderResponse>, Status> {
        let cx = context(&request, &self.world);
        let mut violations = Violations::new();
        let id = violations.parse("sender_id", &request.get_ref().sender_id);
        let id = read::finish(violations, id)?;
        let (sender, pace) = lookup(&self.database, "GetSender", &cx, async |conn| pace::get_sender(conn, id).await).await?;
        Ok(Response::new(pb::GetSenderResponse { sender: Some(write::sender(sender)), pace: Some(write::pace(&pace, cx.now)) }))
    }

    async fn check_sender(&self, request: Request<pb::CheckSenderRequest>) -> Result<Response<pb::CheckSenderResponse>, Status> {
        let cx = context(&request, &self.world);
        let mut violations = Violations::new();
        let id = violations.parse("sender_id", &request.get_ref().sender_id);
        let id = read::finish(violations, id)?;
        let (sender, _) = lookup(&self.database, "CheckSender", &cx, async |conn| pace::get_sender(conn, id).await).await?;
        let checks = self.dns.check(&sender).await;
        Ok(Response::new(pb::CheckSenderResponse { checks: checks.into_iter().map(write::sender_check).collect() }))
    }

    async fn set_sending_limits(
        &self,
        request: Request<pb::SetSendingLimitsRequest>,
    ) -> Result<Response<pb::SetSendingLimitsResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let command = sending_limits(&request)?;
        let mutation =
            Mutation { method: "SetSendingLimits", request: &request, request_id: &request.request_id, subject: &command.sender, cx: &cx };
        let set = mutate(
            &self.database,
            mutation,
            async |conn| pace::set_limits(conn, &cx, command.clone()).await,
            |(sender, pace)| pb::SetSendingLimitsResponse { sender: Some(write::sender(sender)), pace: Some(write::pace(&pace, cx.now)) },
        )
        .await?;
        // What waited for a slot may have one now.
        self.bells.mail();
        Ok(set)
    }

    async fn create_sender(&self, request: Request<pb::CreateSenderRequest>) -> Result<Response<pb::CreateSenderResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let command = self.new_sender(&request, &cx)?;
        let mutation =
            Mutation { method: "CreateSender", request: &request, request_id: &request.request_id, subject: &command.id, cx: &cx };
        mutate(
            &self.database,
            mutation,
            async |conn| publication::create_sender(conn, &cx, command.clone()).await,
            |sender| pb::CreateSenderResponse { sender: Some(write::sender(sender)) },
        )
        .await
    }

    async fn create_publication(
        &self,
        request: Request<pb::CreatePublicationRequest>,
    ) -> Result<Response<pb::CreatePublicationResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let command = new_publication(&request, &cx)?;
        let mutation =
            Mutation { method: "CreatePublication", request: &request, request_id: &request.request_id, subject: &command.id, cx: &cx };
        mutate(
            &self.database,
            mutation,
            async |conn| publication::create_publication(conn, &cx, command.clone()).await,
            |publication| pb::CreatePublicationResponse { publication: Some(write::publication(publication)) },
        )
        .await
    }

    async fn get_publication(&self, request: Request<pb::GetPublicationRequest>) -> Result<Response<pb::GetPublicationResponse>, Status> {
        let cx = context(&request, &self.world);
        let mut violations = Violations::new();
        let id = violations.parse("publication_id", &request.get_ref().publication_id);
        let id = read::finish(violations, id)?;
        let found = lookup(&self.database, "GetPublication", &cx, async |conn| publication::get_publication(conn, id).await).await?;
        Ok(Response::new(pb::GetPublicationResponse { publication: Some(write::publication(found)) }))
    }
}
