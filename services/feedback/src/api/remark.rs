//! Remarks on the wire.

use rapport_core::{
    Context, CustomerId, Failure, InteractionId, JourneyId, Page, PageRequest, QuestionnaireId, RemarkId, Setting, Time, Violations,
    words::Word,
};
use rapport_proto::feedback::v1 as pb;
use rapport_server::{Mutation, context, mutate, query, status};
use tonic::{Request, Response, Status};

use super::{Api, convert, customer};
use crate::{
    app::remark::{list_remarks, record_remark},
    domain::{
        answer::MAX_TEXT,
        filter,
        refused::Refused,
        remark::{Remark, RemarkKind, RemarkOccasion},
    },
};

pub async fn record(api: &Api, request: Request<pb::RecordRemarkRequest>) -> Result<Response<pb::RecordRemarkResponse>, Status> {
    let cx = context(&request, &api.world);
    let request = request.into_inner();
    let mut violations = Violations::new();
    let given: Option<RemarkId> = violations.parse_optional("remark_id", &request.remark_id);
    let id = given.unwrap_or_else(|| cx.fresh());
    let remark = match &request.remark {
        Some(remark) => parse(id, remark.clone(), &cx, &mut violations),
        None => {
            violations.add("remark", "is required");
            None
        }
    };
    let remark = violations.finish(remark).map_err(|violations| status(Failure::<Refused>::Invalid(violations)))?;
    // What was said is written down even if the customer service is out of reach: its feed tells later who it was.
    customer::exists(api, &cx, remark.customer, "remark.customer_id").await?;
    let mutation = Mutation { method: "RecordRemark", request: &request, request_id: &request.request_id, subject: &id, cx: &cx };
    mutate(
        &api.database,
        mutation,
        async |conn| record_remark(conn, &cx, remark.clone()).await,
        |remark| pb::RecordRemarkResponse { remark: Some(remark.into()) },
    )
    .await
}

fn parse(id: RemarkId, remark: pb::Remark, cx: &Context, violations: &mut Violations) -> Option<Remark> {
    let pb::Remark {
        remark_id: _,
        customer_id,
        interaction_id,
        verbatim,
        kind,
        occasion,
        setting,
        guide_id,
        question_id,
        heard_by,
        say_time,
        create_time: _,
        stars,
        source,
        journey_id,
        recorded_by: _,
    } = remark;
    let customer: Option<CustomerId> = violations.parse("remark.customer_id", &customer_id);
    let interaction: Option<InteractionId> = violations.parse_optional("remark.interaction_id", &interaction_id);
    let verbatim = violations.text("remark.verbatim", &verbatim, MAX_TEXT);
    let kind = violations.word_optional::<RemarkKind>("remark.kind", kind).unwrap_or(RemarkKind::Comment);
    let occasion = violations.word::<RemarkOccasion>("remark.occasion", occasion);
    let setting = violations.word_optional::<Setting>("remark.setting", setting);
    let guide: Option<QuestionnaireId> = violations.parse_optional("remark.guide_id", &guide_id);
    if !question_id.is_empty() && guide_id.is_empty() {
        violations.add("remark.question_id", "needs the guide_id that it is a question of");
    }
    let heard_by = violations.text_optional("remark.heard_by", &heard_by, 200);
    let say_time = convert::time("remark.say_time", say_time, violations);
    if say_time.is_some_and(|time| time > cx.now) {
        violations.add("remark.say_time", "must not be in the future");
    }
    if stars.is_some() && kind != RemarkKind::Review {
        violations.add("remark.stars", "are for a REVIEW only");
    } else if stars.is_some_and(|stars| !(1..=5).contains(&stars)) {
        violations.add("remark.stars", "must be from 1 to 5");
    }
    let source = violations.text_optional("remark.source", &source, 500);
    let journey: Option<JourneyId> = violations.parse_optional("remark.journey_id", &journey_id);
    Some(Remark {
        id,
        customer: customer?,
        interaction,
        verbatim: verbatim?,
        kind,
        occasion: occasion?,
        setting,
        guide,
        question: Some(question_id).filter(|question| !question.is_empty()),
        heard_by: heard_by.filter(|name| !name.is_empty()).unwrap_or_else(|| cx.caller.name.to_string()),
        say_time: say_time.unwrap_or(cx.now),
        create_time: cx.now,
        stars,
        source: source?,
        journey: journey.or(cx.journey),
        recorded_by: cx.caller.name.to_string(),
    })
}

pub async fn list(api: &Api, request: Request<pb::ListRemarksRequest>) -> Result<Response<pb::ListRemarksResponse>, Status> {
    let cx = context(&request, &api.world);
    let request = request.into_inner();
    let mut violations = Violations::new();
    let of = format!("ListRemarks {}", request.filter);
    let page = PageRequest { size: request.page_size, token: &request.page_token, of: &of };
    let page: Option<Page<(Time, RemarkId)>> = Page::parse(page, &mut violations);
    let filter = filter::remarks(&request.filter, &mut violations);
    let asked = violations.finish(page.zip(filter)).map_err(|violations| status(Failure::<Refused>::Invalid(violations)))?;
    let (page, filter) = &asked;
    let rows = query(&api.database, "ListRemarks", &cx, async |conn| list_remarks(conn, filter, page).await).await?;
    let (rows, next_page_token) = page.answer(rows, |remark| (remark.create_time, remark.id));
    Ok(Response::new(pb::ListRemarksResponse { remarks: rows.into_iter().map(Into::into).collect(), next_page_token }))
}

impl From<Remark> for pb::Remark {
    fn from(remark: Remark) -> Self {
        let Remark {
            id,
            customer,
            interaction,
            verbatim,
            kind,
            occasion,
            setting,
            guide,
            question,
            heard_by,
            say_time,
            create_time,
            stars,
            source,
            journey,
            recorded_by,
        } = remark;
        Self {
            remark_id: id.to_string(),
            customer_id: customer.to_string(),
            interaction_id: convert::id(interaction),
            verbatim,
            kind: kind.number(),
            occasion: occasion.number(),
            setting: setting.map_or(0, Word::number),
            guide_id: convert::id(guide),
            question_id: question.unwrap_or_default(),
            heard_by,
            say_time: Some(convert::timestamp(say_time)),
            create_time: Some(convert::timestamp(create_time)),
            stars,
            source,
            journey_id: convert::id(journey),
            recorded_by,
        }
    }
}
