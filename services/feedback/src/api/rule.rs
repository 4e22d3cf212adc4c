//! Collection rules on the wire.

use std::time::Duration;

use rapport_core::{CollectionRuleId, Context, Failure, Page, PageRequest, QuestionnaireId, Time, Violations};
use rapport_proto::{feedback::v1 as pb, interaction::v1 as interaction};
use rapport_server::{Mutation, context, mutate, query, status};
use tonic::{Request, Response, Status};

use super::{Api, convert};
use crate::{
    app::{
        invitation::USUAL_LIFE,
        rule::{create_collection_rule, list_collection_rules},
    },
    domain::{
        refused::Refused,
        rule::{self, CollectionRule, ForeignWords, INTERACTION_CONCLUDED},
    },
};

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

pub async fn create(
    api: &Api,
    request: Request<pb::CreateCollectionRuleRequest>,
) -> Result<Response<pb::CreateCollectionRuleResponse>, Status> {
    let cx = context(&request, &api.world);
    let request = request.into_inner();
    let mut violations = Violations::new();
    let given: Option<CollectionRuleId> = violations.parse_optional("rule_id", &request.rule_id);
    let id = given.unwrap_or_else(|| cx.fresh());
    let rule = match &request.rule {
        Some(rule) => parse(id, rule.clone(), &cx, &mut violations),
        None => {
            violations.add("rule", "is required");
            None
        }
    };
    let rule = violations.finish(rule).map_err(|violations| status(Failure::<Refused>::Invalid(violations)))?;
    let mutation = Mutation { method: "CreateCollectionRule", request: &request, request_id: &request.request_id, subject: &id, cx: &cx };
    mutate(
        &api.database,
        mutation,
        async |conn| create_collection_rule(conn, rule.clone()).await,
        |rule| pb::CreateCollectionRuleResponse { rule: Some(rule.into()) },
    )
    .await
}

pub async fn list(
    api: &Api,
    request: Request<pb::ListCollectionRulesRequest>,
) -> Result<Response<pb::ListCollectionRulesResponse>, Status> {
    let cx = context(&request, &api.world);
    let request = request.into_inner();
    let mut violations = Violations::new();
    let page = PageRequest { size: request.page_size, token: &request.page_token, of: "ListCollectionRules" };
    let page: Option<Page<(Time, CollectionRuleId)>> = Page::parse(page, &mut violations);
    let page = violations.finish(page).map_err(|violations| status(Failure::<Refused>::Invalid(violations)))?;
    let rules = query(&api.database, "ListCollectionRules", &cx, async |conn| list_collection_rules(conn, &page).await).await?;
    let (rules, next_page_token) = page.answer(rules, |rule| (rule.create_time, rule.id));
    Ok(Response::new(pb::ListCollectionRulesResponse { rules: rules.into_iter().map(Into::into).collect(), next_page_token }))
}

fn parse(id: CollectionRuleId, rule: pb::CollectionRule, cx: &Context, violations: &mut Violations) -> Option<CollectionRule> {
    let pb::CollectionRule {
        rule_id: _,
        display_name,
        disabled,
        on_event,
        filter,
        delay,
        questionnaire_id,
        sample_rate,
        per_customer_gap,
        any_survey_gap,
        expire_after,
        create_time: _,
    } = rule;
    let display_name = violations.text("rule.display_name", &display_name, 200);
    if on_event != INTERACTION_CONCLUDED {
        violations.add("rule.on_event", format!("must be {INTERACTION_CONCLUDED:?}"));
    }
    let (outcomes, purposes) = foreign_words();
    let foreign = ForeignWords { outcomes: &outcomes, purposes: &purposes };
    let comparisons = rule::parse_filter(&filter, foreign, "rule.filter", violations);
    let delay = convert::span("rule.delay", delay, (Duration::ZERO, 90 * DAY), violations);
    let questionnaire: Option<QuestionnaireId> = violations.parse("rule.questionnaire_id", &questionnaire_id);
    let per_customer_gap = convert::span("rule.per_customer_gap", per_customer_gap, (Duration::ZERO, 3_660 * DAY), violations);
    let any_survey_gap = convert::span("rule.any_survey_gap", any_survey_gap, (Duration::ZERO, 3_660 * DAY), violations);
    let expire_after = convert::span("rule.expire_after", expire_after, (HOUR, 366 * DAY), violations);
    let sample_millionths = sample_millionths(sample_rate, violations);
    Some(CollectionRule {
        id,
        display_name: display_name?,
        disabled,
        filter,
        comparisons: comparisons?,
        delay: delay.unwrap_or_default(),
        questionnaire: questionnaire?,
        sample_millionths: sample_millionths?,
        per_customer_gap: per_customer_gap.unwrap_or_default(),
        any_survey_gap: any_survey_gap.unwrap_or_default(),
        expire_after: expire_after.unwrap_or(USUAL_LIFE),
        create_time: cx.now,
    })
}

fn sample_millionths(rate: f64, violations: &mut Violations) -> Option<u32> {
    if rate == 0.0 {
        return Some(1_000_000);
    }
    if !(0.000_001..=1.0).contains(&rate) {
        violations.add("rule.sample_rate", "must be from 0.000001 to 1; leave it out to ask everybody");
        return None;
    }
    Some((rate * 1_000_000.0).round() as u32)
}

/// The outcomes and purposes that the interaction service knows.
fn foreign_words() -> (Vec<String>, Vec<String>) {
    let numbers = || 1..=64;
    let outcomes = numbers().filter_map(|number| interaction::Outcome::try_from(number).ok());
    let purposes = numbers().filter_map(|number| interaction::Purpose::try_from(number).ok());
    (
        outcomes.map(|outcome| outcome.as_str_name().trim_start_matches("OUTCOME_").to_owned()).collect(),
        purposes.map(|purpose| purpose.as_str_name().trim_start_matches("PURPOSE_").to_owned()).collect(),
    )
}

impl From<CollectionRule> for pb::CollectionRule {
    fn from(rule: CollectionRule) -> Self {
        let CollectionRule {
            id,
            display_name,
            disabled,
            filter,
            comparisons: _,
            delay,
            questionnaire,
            sample_millionths,
            per_customer_gap,
            any_survey_gap,
            expire_after,
            create_time,
        } = rule;
        Self {
            rule_id: id.to_string(),
            display_name,
            disabled,
            on_event: INTERACTION_CONCLUDED.to_owned(),
            filter,
            delay: Some(convert::duration(delay)),
            questionnaire_id: questionnaire.to_string(),
            sample_rate: f64::from(sample_millionths) / 1_000_000.0,
            per_customer_gap: Some(convert::duration(per_customer_gap)),
            any_survey_gap: Some(convert::duration(any_survey_gap)),
            expire_after: Some(convert::duration(expire_after)),
            create_time: Some(convert::timestamp(create_time)),
        }
    }
}
