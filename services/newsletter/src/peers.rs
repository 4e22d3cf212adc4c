//! Asking the customer service: who a customer is, and whether a contact is allowed.

mod dns;

use std::{collections::HashSet, time::Duration};

use rapport_client::Peer;
use rapport_core::{Channel, ContactPurpose, Context, CustomerId, Email, Failure, RiskLevel, SegmentId, SubjectId, kind, words::Word};
use rapport_proto::customer::v1::{
    self as pb, consent_service_client::ConsentServiceClient, customer_service_client::CustomerServiceClient,
    segment_service_client::SegmentServiceClient,
};
use rapport_server::JOURNEY;
use tonic::{Code, Request, Status, Streaming};

pub use dns::Dns;

use crate::domain::{Answer, Audience, Basis, Customer, Member, Publication, Refused};

type Failed = Failure<Refused>;

/// The customer service.
#[derive(Clone)]
pub struct CustomerPeer {
    customers: CustomerServiceClient<Peer>,
    consents: ConsentServiceClient<Peer>,
    segments: SegmentServiceClient<Peer>,
    timeout: Duration,
}

impl CustomerPeer {
    /// Reached through this peer, with this much time for an answer.
    pub fn new(peer: Peer, timeout: Duration) -> Self {
        Self {
            customers: CustomerServiceClient::new(peer.clone()),
            consents: ConsentServiceClient::new(peer.clone()),
            segments: SegmentServiceClient::new(peer),
            timeout,
        }
    }

    /// What it says of a customer; none when there is no such customer.
    ///
    /// # Errors
    /// Unavailable when it cannot say.
    pub async fn find(&self, id: CustomerId, cx: &Context) -> Result<Option<Customer>, Failed> {
        let request = self.request(pb::GetCustomerRequest { customer_id: id.to_string() }, cx);
        match self.customers.clone().get_customer(request).await {
            Ok(response) => Ok(response.into_inner().customer.as_ref().and_then(read)),
            Err(status) if status.code() == Code::NotFound => Ok(None),
            Err(status) => Err(unavailable(&status)),
        }
    }

    /// Whether these customers may be mailed for this purpose: one answer for each.
    ///
    /// # Errors
    /// Unavailable when it cannot say.
    pub async fn check_consent(
        &self,
        customers: &[CustomerId],
        purpose: ContactPurpose,
        topic: String,
        cx: &Context,
    ) -> Result<Vec<Answer>, Failed> {
        if customers.is_empty() {
            return Ok(Vec::new());
        }
        let request = pb::CheckConsentRequest {
            customer_ids: customers.iter().map(ToString::to_string).collect(),
            channel: Channel::Email.number(),
            purpose: purpose.number(),
            topic,
        };
        let response = self.consents.clone().check_consent(self.request(request, cx)).await.map_err(|status| unavailable(&status))?;
        let answers = response.into_inner().answers;
        Ok(answers.iter().filter_map(answer).collect())
    }

    /// Which of these customers are in a segment, or are taken by a filter.
    ///
    /// # Errors
    /// Unavailable when it cannot say, invalid when there is nothing to say.
    pub async fn matching(&self, asked: &Asked, customers: &[CustomerId], cx: &Context) -> Result<HashSet<CustomerId>, Failed> {
        if customers.is_empty() {
            return Ok(HashSet::new());
        }
        let (segment_id, filter) = asked.parts();
        let customer_ids = customers.iter().map(ToString::to_string).collect();
        let request = pb::MatchSegmentRequest { segment_id, filter, customer_ids };
        let response = self.segments.clone().match_segment(self.request(request, cx)).await.map_err(|status| of_audience(&status))?;
        Ok(response.into_inner().customer_ids.iter().filter_map(|id| id.parse().ok()).collect())
    }

    /// Whether the customer service knows the segments of an audience and understands its filter.
    ///
    /// # Errors
    /// Unavailable when it cannot say, invalid when it does not.
    pub async fn check_audience(&self, audience: &Audience, cx: &Context) -> Result<(), Failed> {
        let nobody = [cx.fresh::<kind::Customer>()];
        let excluded = audience.exclude_segments.iter().map(|segment| Asked::Segment(*segment));
        for asked in Asked::of(audience).into_iter().chain(excluded) {
            self.matching(&asked, &nobody, cx).await?;
        }
        Ok(())
    }

    /// Streams the customers of an audience after one, in the order of their ids, as fast as they are taken.
    ///
    /// # Errors
    /// Unavailable when it cannot say, invalid when there is no such segment.
    pub async fn stream(
        &self,
        audience: &Audience,
        publication: &Publication,
        after: Option<SubjectId>,
        cx: &Context,
    ) -> Result<Members, Failed> {
        let (segment_id, filter) = Asked::of(audience).map(|asked| asked.parts()).unwrap_or_default();
        let purpose = publication.kind.purpose();
        let request = pb::StreamSegmentRequest {
            segment_id,
            filter,
            after_customer_id: after.map(|after| after.to_string()).unwrap_or_default(),
            group_size: 0,
            purpose: purpose.number(),
            topic: if purpose == ContactPurpose::Newsletters { publication.id.to_string() } else { String::new() },
        };
        let mut request = self.request(request, cx);
        // The whole stream takes as long as the issue takes; only the wait for each group is limited.
        request.metadata_mut().remove("grpc-timeout");
        let opened = tokio::time::timeout(self.patience(), self.segments.clone().stream_segment(request)).await;
        let groups = opened.map_err(|_| silent())?.map_err(|status| of_audience(&status))?.into_inner();
        Ok(Members { groups, patience: self.patience() })
    }

    /// How long a group may take: more than a plain answer, as much may have to be looked at for it.
    fn patience(&self) -> Duration {
        self.timeout * 10
    }

    fn request<T>(&self, message: T, cx: &Context) -> Request<T> {
        let mut request = Request::new(message);
        request.set_timeout(self.timeout);
        if let Some(journey) = cx.journey.and_then(|journey| journey.to_string().parse().ok()) {
            request.metadata_mut().insert(JOURNEY, journey);
        }
        request
    }
}

fn unavailable(status: &Status) -> Failed {
    let what = format!("the customer service cannot be asked ({}): try again", status.message());
    Failure::unavailable(what, Duration::from_secs(1))
}

fn silent() -> Failed {
    Failure::unavailable("the customer service does not go on with the audience: try again".to_owned(), Duration::from_secs(1))
}

/// What is wrong with the audience stays wrong; everything else may pass.
fn of_audience(status: &Status) -> Failed {
    match status.code() {
        Code::NotFound | Code::FailedPrecondition | Code::InvalidArgument => Failure::invalid("issue.audience", status.message()),
        _ => unavailable(status),
    }
}

/// Who is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The customers of a segment.
    Segment(SegmentId),
    /// Those whom a filter takes.
    Filter(String),
}

impl Asked {
    /// Who is in an audience; none when nothing narrows it.
    fn of(audience: &Audience) -> Option<Self> {
        let filter = || Some(audience.filter.clone()).filter(|filter| !filter.is_empty()).map(Self::Filter);
        audience.segment.map(Self::Segment).or_else(filter)
    }

    fn parts(&self) -> (String, String) {
        match self {
            Self::Segment(id) => (id.to_string(), String::new()),
            Self::Filter(filter) => (String::new(), filter.clone()),
        }
    }
}

/// The customers of an audience, group by group.
pub struct Members {
    groups: Streaming<pb::StreamSegmentResponse>,
    patience: Duration,
}

impl Members {
    /// The next group and the last customer that was looked at; none at the end.
    ///
    /// # Errors
    /// Unavailable when the stream broke: it can be opened again after the last group.
    pub async fn next(&mut self) -> Result<Option<(Vec<Member>, CustomerId)>, Failed> {
        let next = tokio::time::timeout(self.patience, self.groups.message()).await.map_err(|_| silent())?;
        let Some(pb::StreamSegmentResponse { members, last_customer_id }) = next.map_err(|status| of_audience(&status))? else {
            return Ok(None);
        };
        let last = last_customer_id.parse().map_err(|_| silent())?;
        Ok(Some((members.iter().filter_map(member).collect(), last)))
    }
}

fn member(member: &pb::SegmentMember) -> Option<Member> {
    let risk: Option<RiskLevel> = Word::from_number(member.risk_level);
    Some(Member {
        customer: member.customer_id.parse().ok()?,
        display_name: member.display_name.clone(),
        email: member.email.parse().ok(),
        language: member.language.parse().ok(),
        consent: answer(member.consent.as_ref()?)?,
        at_risk: matches!(risk, Some(RiskLevel::AtRisk | RiskLevel::Critical)),
        open_complaint: member.open_complaint,
    })
}

fn answer(answer: &pb::ConsentAnswer) -> Option<Answer> {
    let basis = match answer.basis() {
        pb::ConsentBasis::Topic | pb::ConsentBasis::Purpose | pb::ConsentBasis::Channel => Basis::Record(answer.consent_id.parse().ok()),
        pb::ConsentBasis::UnknownCustomer => Basis::UnknownCustomer,
        pb::ConsentBasis::Default | pb::ConsentBasis::Unspecified => Basis::Default,
    };
    Some(Answer { customer: answer.customer_id.parse().ok()?, allowed: answer.allowed, basis })
}

/// A customer as the customer service tells: the primary mail address, or the first.
pub fn read(customer: &pb::Customer) -> Option<Customer> {
    let mails = || customer.contact_points.iter().filter(|point| point.kind() == pb::ContactPointKind::Email);
    let email: Option<Email> = mails().find(|point| point.primary).or_else(|| mails().next()).and_then(|point| point.value.parse().ok());
    Some(Customer { id: customer.customer_id.parse().ok()?, display_name: customer.display_name.clone(), email, risk: None })
}
