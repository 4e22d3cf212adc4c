//! Senders and publications.

use async_trait::async_trait;
use rapport_core::{Context, Violations};
use rapport_proto::newsletter::v1::{self as pb, publication_service_server::PublicationService};
use rapport_server::{Mutation, context, lookup, mutate};
use tonic::{Request, Response, Status};

use super::{Api, read, write};
use crate::{
    app::publication::{self, CreatePublication, CreateSender},
    domain::{Cadence, sender},
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
        let command = (|| {
            let (reply_domain, bounce_domain) = (reply_domain?, bounce_domain?);
            Some(CreateSender { id: id?, from_name: from_name?, from_address: from_address?, reply_domain, bounce_domain, transport })
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
    let command =
        (|| Some(CreatePublication { id: id?, display_name: display_name?, description: description?, sender: sender?, cadence }))();
    read::finish(violations, command)
}

#[async_trait]
impl PublicationService for Api {
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
