//! The collector: asks customers when their interactions are concluded, as the rules say, and lists those without what was said.

use rapport_client::InteractionFeed;
use rapport_core::{BusinessFunction, Channel, Failure, InteractionId, InteractionKind, Never, Phase, Setting, Time, words::Word};
use rapport_db::Conn;
use rapport_proto::interaction::v1 as pb;
use rapport_server::{Beginning, consume};
use tokio_util::sync::CancellationToken;

use super::Surroundings;
use crate::{
    app::{
        Answer,
        collect::collect,
        undocumented::{note_conclusion, note_going_on, note_merge},
    },
    domain::{
        rule::{Conclusion, INTERACTION_CONCLUDED, RuleField},
        undocumented::{Documentation, Undocumented},
    },
};

const INTERACTION_MERGED: &str = "interaction.merged";
/// The events that say something here.
const TYPES: &[&str] = &[INTERACTION_CONCLUDED, INTERACTION_MERGED, "interaction.reopened", "interaction.updated", "interaction.moved"];

pub async fn run(surroundings: Surroundings, stop: CancellationToken) -> Result<(), Failure<Never>> {
    let feed = InteractionFeed(surroundings.interaction.clone());
    // What was concluded before a rule was made is no business of it, so the oldest event is early enough.
    let consumer = surroundings.consumer(feed, TYPES, Beginning::Earliest, stop);
    let invited = &surroundings.invited;
    consume(consumer, async |conn, cx, event: &pb::Event| {
        document(conn, event, cx.now).await?;
        if event.meta.as_ref().is_none_or(|meta| meta.r#type != INTERACTION_CONCLUDED) {
            return Ok(());
        }
        let Some(conclusion) = read(event, cx.now)? else { return Ok(()) };
        if !collect(conn, cx, conclusion).await?.is_empty() {
            invited.notify_one();
        }
        Ok(())
    })
    .await
}

/// Keeps the list of interactions without what was said in them.
async fn document(conn: &mut Conn<'_>, event: &pb::Event, now: Time) -> Answer<()> {
    let Some(pb::event::Payload::Interaction(interaction)) = &event.payload else { return Ok(()) };
    let id: InteractionId = interaction.interaction_id.parse().map_err(|_| Failure::invalid("interaction_id", "is no id"))?;
    let kind = event.meta.as_ref().map_or("", |meta| meta.r#type.as_str());
    if let (INTERACTION_MERGED, Ok(survivor)) = (kind, interaction.merged_into_id.parse()) {
        return note_merge(conn, id, survivor).await;
    }
    match &interaction.conclusion {
        Some(conclusion) if kind == INTERACTION_CONCLUDED || interaction.state() == pb::InteractionState::Concluded => {
            note_conclusion(conn, documentation(id, interaction, conclusion, now)).await
        }
        _ => note_going_on(conn, id).await,
    }
}

fn documentation(id: InteractionId, interaction: &pb::Interaction, conclusion: &pb::Conclusion, now: Time) -> Documentation {
    let gap = Undocumented {
        interaction: id,
        customer: interaction.customer_id.parse().ok(),
        agent: conclusion.concluded_by.clone(),
        assignee: interaction.assignee_id.parse().ok(),
        setting: Setting::from_number(interaction.setting),
        conclude_time: conclusion.conclude_time.and_then(|time| Time::from_parts(time.seconds, time.nanos)).unwrap_or(now),
        remarks: conclusion.remark_ids.iter().filter_map(|id| id.parse().ok()).collect(),
    };
    Documentation { gap, solicited: interaction.feedback_solicited, said_nothing: conclusion.said_nothing }
}

/// The conclusion that an event tells of; none if the customer is not known.
fn read<R>(event: &pb::Event, now: Time) -> Result<Option<Conclusion>, Failure<R>> {
    let Some(pb::event::Payload::Interaction(interaction)) = &event.payload else { return Ok(None) };
    if interaction.customer_id.is_empty() {
        return Ok(None);
    }
    let unreadable = |field: &'static str| move |_| Failure::invalid(field, "is no id");
    let concluded = interaction.conclusion.as_ref();
    let told = event.meta.as_ref().and_then(|meta| meta.time);
    let time = concluded.and_then(|conclusion| conclusion.conclude_time).or(told);
    Ok(Some(Conclusion {
        interaction: interaction.interaction_id.parse().map_err(unreadable("interaction_id"))?,
        customer: interaction.customer_id.parse().map_err(unreadable("customer_id"))?,
        time: time.and_then(|time| Time::from_parts(time.seconds, time.nanos)).unwrap_or(now),
        journey: interaction.journey_id.parse().ok(),
        facts: facts(interaction),
    }))
}

fn facts(interaction: &pb::Interaction) -> Vec<(RuleField, String)> {
    fn word<W: Word>(number: i32) -> Option<String> {
        W::from_number(number).map(|word| word.as_str().to_owned())
    }
    let outcome = interaction.conclusion.as_ref().and_then(|conclusion| pb::Outcome::try_from(conclusion.outcome).ok());
    let purpose = pb::Purpose::try_from(interaction.purpose).ok();
    [
        (RuleField::Channel, word::<Channel>(interaction.channel)),
        (RuleField::Function, word::<BusinessFunction>(interaction.function)),
        (RuleField::Kind, word::<InteractionKind>(interaction.kind)),
        (RuleField::Phase, word::<Phase>(interaction.phase)),
        (RuleField::Setting, word::<Setting>(interaction.setting)),
        (RuleField::Outcome, outcome.map(|outcome| outcome.as_str_name().trim_start_matches("OUTCOME_").to_owned())),
        (RuleField::Purpose, purpose.map(|purpose| purpose.as_str_name().trim_start_matches("PURPOSE_").to_owned())),
    ]
    .into_iter()
    .filter_map(|(field, word)| Some((field, word?)))
    .collect()
}
