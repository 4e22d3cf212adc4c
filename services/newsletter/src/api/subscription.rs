//! Subscribing, confirming, leaving.

use async_trait::async_trait;
use rapport_core::{Context, CustomerId, Email, Page, PageRequest, SubscriptionId, Violations, filter};
use rapport_proto::newsletter::v1::{self as pb, subscription_service_server::SubscriptionService};
use rapport_server::{Mutation, context, mutate, query};
use tonic::{Request, Response, Status};

use super::{Api, read, roster, write};
use crate::{
    app::{
        self,
        erasure::{self, Erased},
        subscription::{self, Subscribe, SubscriptionFilter},
    },
    domain::{Proof, ProofKind},
};

fn wish(request: &pb::SubscribeRequest) -> Result<Subscribe, Status> {
    let mut violations = Violations::new();
    let publication = violations.parse("publication_id", &request.publication_id);
    let email = violations.parse("email", &request.email);
    let customer = violations.parse_optional("customer_id", &request.customer_id);
    let display_name = violations.text_optional("display_name", &request.display_name, 100);
    let language = violations.parse_optional("language", &request.language);
    let source = violations.text("source", &request.source, 500);
    let wording = violations.text_optional("wording", &request.wording, 2000);
    let wording_version = violations.text("wording_version", &request.wording_version, 100);
    let command = (|| {
        Some(Subscribe {
            publication: publication?,
            email: email?,
            customer,
            display_name: display_name?,
            language,
            source: source?,
            wording: wording?,
            wording_version: wording_version?,
        })
    })();
    read::finish(violations, command)
}

enum Leaving {
    Token(String),
    Subscription(SubscriptionId),
}

fn leaving(request: &pb::UnsubscribeRequest) -> Result<(Leaving, String), Status> {
    let mut violations = Violations::new();
    let reason = violations.text_optional("reason", &request.reason, 500);
    let leaving = match (request.token.is_empty(), request.subscription_id.is_empty()) {
        (false, true) => violations.text("token", &request.token, 200).map(Leaving::Token),
        (true, false) => violations.parse("subscription_id", &request.subscription_id).map(Leaving::Subscription),
        (true, true) => {
            violations.add("token", "or subscription_id is required");
            None
        }
        (false, false) => {
            violations.add("token", "and subscription_id are given: give one of the two");
            None
        }
    };
    read::finish(violations, leaving.zip(reason))
}

impl Api {
    /// A customer that the projection does not know is asked of the customer service. If that cannot be asked, the wish is
    /// taken all the same: the person's click is what counts, and the customer service resolves the address then.
    async fn existing(&self, customer: CustomerId, cx: &Context) -> Result<(), Status> {
        let known = self.database.read(async |conn| app::customer::known(conn, customer).await).await.map_err(read::fail)?;
        if known {
            return Ok(());
        }
        match self.customers.find(customer, cx).await {
            Ok(None) => Err(read::refuse(Violations::one("customer_id", "names no customer: create it first"))),
            Ok(Some(_)) | Err(_) => Ok(()),
        }
    }
}

fn filter(request: &pb::ListSubscriptionsRequest, violations: &mut Violations) -> Option<SubscriptionFilter> {
    let mut narrowed = SubscriptionFilter {
        publication: violations.parse_optional("publication_id", &request.publication_id),
        ..SubscriptionFilter::default()
    };
    for comparison in filter::parse(&request.filter, &["state", "customer_id", "subscriber_id", "email"], violations)? {
        let value = read::equals(violations, &comparison)?;
        match comparison.field.as_str() {
            "state" => narrowed.state = Some(violations.parse("filter", value)?),
            "customer_id" => narrowed.customer = Some(violations.parse("filter", value)?),
            "subscriber_id" => narrowed.subscriber = Some(violations.parse("filter", value)?),
            _ => narrowed.email = Some(value.to_owned()),
        }
    }
    Some(narrowed)
}

#[async_trait]
impl SubscriptionService for Api {
    async fn subscribe(&self, request: Request<pb::SubscribeRequest>) -> Result<Response<pb::SubscribeResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let command = wish(&request)?;
        if let Some(customer) = command.customer {
            self.existing(customer, &cx).await?;
        }
        let mutation =
            Mutation { method: "Subscribe", request: &request, request_id: &request.request_id, subject: &command.publication, cx: &cx };
        let answer = mutate(
            &self.database,
            mutation,
            async |conn| subscription::subscribe(conn, &cx, &self.keys, &self.wordings, command.clone()).await,
            |until| pb::SubscribeResponse { confirm_before_time: Some(write::time(until)) },
        )
        .await;
        self.bells.mail();
        answer
    }

    async fn confirm_subscription(
        &self,
        request: Request<pb::ConfirmSubscriptionRequest>,
    ) -> Result<Response<pb::ConfirmSubscriptionResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let mut violations = Violations::new();
        let token = violations.text("token", &request.token, 200);
        let token = read::finish(violations, token)?;
        let mutation =
            Mutation { method: "ConfirmSubscription", request: &request, request_id: &request.request_id, subject: &"token", cx: &cx };
        mutate(
            &self.database,
            mutation,
            async |conn| {
                let proof = Proof::plain(ProofKind::Confirmed, "ConfirmSubscription", &*cx.caller.name, cx.now);
                subscription::confirm_subscription(conn, &cx, &self.keys, &token, proof).await
            },
            |confirmed| pb::ConfirmSubscriptionResponse { subscription: Some(write::subscription(confirmed)) },
        )
        .await
    }

    async fn unsubscribe(&self, request: Request<pb::UnsubscribeRequest>) -> Result<Response<pb::UnsubscribeResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let (leaving, reason) = leaving(&request)?;
        let subject = if request.subscription_id.is_empty() { "token".to_owned() } else { request.subscription_id.clone() };
        let mutation = Mutation { method: "Unsubscribe", request: &request, request_id: &request.request_id, subject: &subject, cx: &cx };
        mutate(
            &self.database,
            mutation,
            async |conn| match &leaving {
                Leaving::Subscription(id) => subscription::unsubscribe(conn, &cx, *id, &reason).await.map(Some),
                Leaving::Token(token) => {
                    let proof = Proof::plain(ProofKind::Page, "Unsubscribe", &*cx.caller.name, cx.now);
                    subscription::unsubscribe_by_token(conn, &cx, &self.keys, token, proof, &reason).await.map(|_| None)
                }
            },
            |ended| pb::UnsubscribeResponse { subscription: ended.map(write::subscription) },
        )
        .await
    }

    async fn import_subscribers(
        &self,
        request: Request<pb::ImportSubscribersRequest>,
    ) -> Result<Response<pb::ImportSubscribersResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let roster::Read { command, problems } = roster::import(&request, cx.now)?;
        let subject = command.publication;
        let mutation =
            Mutation { method: "ImportSubscribers", request: &request, request_id: &request.request_id, subject: &subject, cx: &cx };
        let answer = mutate(
            &self.database,
            mutation,
            async |conn| app::roster::import_subscribers(conn, &cx, &self.keys, &self.wordings, &command).await,
            |outcomes| pb::ImportSubscribersResponse { results: roster::results(problems.clone(), outcomes) },
        )
        .await;
        self.bells.mail();
        answer
    }

    async fn erase_subscriber(
        &self,
        request: Request<pb::EraseSubscriberRequest>,
    ) -> Result<Response<pb::EraseSubscriberResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let mut violations = Violations::new();
        let email = violations.parse("email", &request.email);
        let email: Email = read::finish(violations, email)?;
        // The audit keeps the fingerprint, not whom it was.
        let subject = self.keys.address_mark(&email.normalized());
        let mutation =
            Mutation { method: "EraseSubscriber", request: &request, request_id: &request.request_id, subject: &subject, cx: &cx };
        mutate(
            &self.database,
            mutation,
            async |conn| erasure::erase_subscriber(conn, &cx, &self.keys, &email).await,
            |Erased { subscriptions, deliveries, messages, inbound_mails }| pb::EraseSubscriberResponse {
                subscriptions,
                deliveries,
                messages,
                inbound_mails,
            },
        )
        .await
    }

    async fn list_subscriptions(
        &self,
        request: Request<pb::ListSubscriptionsRequest>,
    ) -> Result<Response<pb::ListSubscriptionsResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let mut violations = Violations::new();
        let narrowed = filter(&request, &mut violations);
        let of = format!("{}/{}", request.publication_id, request.filter);
        let page: Option<Page<SubscriptionId>> =
            Page::parse(PageRequest { size: request.page_size, token: &request.page_token, of: &of }, &mut violations);
        let (narrowed, page) = read::finish(violations, narrowed.zip(page))?;
        let (rows, next_page_token) =
            query(&self.database, "ListSubscriptions", &cx, async |conn| subscription::list_subscriptions(conn, &narrowed, &page).await)
                .await?;
        Ok(Response::new(pb::ListSubscriptionsResponse {
            subscriptions: rows.into_iter().map(write::subscription).collect(),
            next_page_token,
        }))
    }
}
