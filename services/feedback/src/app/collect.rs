//! Collection rules at work: an interaction was concluded, and its customer may be asked.

use rapport_core::{Context, words::Word};
use rapport_db::Conn;

use super::{Answer, announce};
use crate::{
    domain::{
        customer::Customer,
        event::Event,
        invitation::{Invitation, InvitationState, WithheldReason},
        language,
        questionnaire::{Questionnaire, QuestionnaireState},
        rule::{CollectionRule, Conclusion, RuleField},
    },
    store,
};

/// Makes the invitations that the rules ask for, each once; those that are not sent say why.
///
/// # Errors
/// When the database fails.
pub async fn collect(conn: &mut Conn<'_>, cx: &Context, mut conclusion: Conclusion) -> Answer<Vec<Invitation>> {
    let rules = store::rule::list_enabled(conn).await?;
    if rules.is_empty() {
        return Ok(Vec::new());
    }
    let types = store::customer::find(conn, conclusion.customer).await?.map(|customer| customer.types).unwrap_or_default();
    conclusion.facts.extend(types.into_iter().map(|of_type| (RuleField::CustomerType, of_type.as_str().to_owned())));
    let mut made = Vec::new();
    for rule in rules.into_iter().filter(|rule| rule.fires(&conclusion)) {
        made.extend(invite(conn, cx, &rule, &conclusion).await?);
    }
    Ok(made)
}

async fn invite(conn: &mut Conn<'_>, cx: &Context, rule: &CollectionRule, conclusion: &Conclusion) -> Answer<Option<Invitation>> {
    let customer = store::customer::find_or_stub_for_update(conn, conclusion.customer).await?;
    if store::invitation::find_of_rule(conn, rule.id, conclusion.interaction).await?.is_some() {
        return Ok(None);
    }
    let published = store::questionnaire::find_published(conn, rule.questionnaire).await?;
    let questionnaire = match published {
        Some(published) => Some(published),
        None => store::questionnaire::find_newest(conn, rule.questionnaire).await?,
    };
    let Some(questionnaire) = questionnaire else { return Ok(None) };
    let pending = pending(cx, rule, conclusion, &customer, &questionnaire);
    let open = store::invitation::find_open(conn, customer.id, questionnaire.id).await?;
    let reason = if questionnaire.state != QuestionnaireState::Published {
        Some(WithheldReason::NotPublished)
    } else if pending.expire_time <= cx.now {
        Some(WithheldReason::TooLate)
    } else {
        open.map(|_| WithheldReason::StillOpen)
    };
    let invitation = match reason {
        Some(reason) => pending.withhold(reason, cx.now).map_err(rapport_core::Failure::Refused)?,
        None => pending,
    };
    store::invitation::insert(conn, invitation.clone()).await?;
    announce(conn, cx, &Event::Invitation(invitation.clone())).await?;
    Ok(Some(invitation))
}

fn pending(cx: &Context, rule: &CollectionRule, conclusion: &Conclusion, customer: &Customer, questionnaire: &Questionnaire) -> Invitation {
    let due_time = conclusion.time + rule.delay;
    Invitation {
        id: cx.fresh(),
        version: 1,
        questionnaire: questionnaire.id,
        number: questionnaire.number,
        customer: customer.id,
        interaction: Some(conclusion.interaction),
        rule: Some(rule.id),
        state: InvitationState::Pending,
        withheld: None,
        failure: None,
        language: language::choose(&questionnaire.content, customer.language.as_ref().map(rapport_core::Language::as_str)),
        create_time: cx.now,
        due_time,
        expire_time: due_time + rule.expire_after,
        hand_over_time: None,
        send_time: None,
        settle_time: None,
        attempts: 0,
        next_attempt_time: Some(due_time),
        journey: conclusion.journey.or(cx.journey),
    }
}
