//! The collector: asks customers when their interactions are concluded, as the rules say.

use rapport_client::InteractionFeed;
use rapport_core::{BusinessFunction, Channel, Failure, InteractionKind, Never, Phase, Setting, Time, words::Word};
use rapport_proto::interaction::v1 as pb;
use rapport_server::{Beginning, consume};
use tokio_util::sync::CancellationToken;

use super::Surroundings;
use crate::{
    app::collect::collect,
    domain::rule::{Conclusion, INTERACTION_CONCLUDED, RuleField},
};

pub async fn run(surroundings: Surroundings, stop: CancellationToken) -> Result<(), Failure<Never>> {
    let feed = InteractionFeed(surroundings.interaction.clone());
    // What was concluded before a rule was made is no business of it, so the oldest event is early enough.
    let consumer = surroundings.consumer(feed, &[INTERACTION_CONCLUDED], Beginning::Earliest, stop);
    let invited = &surroundings.invited;
    consume(consumer, async |conn, cx, event: &pb::Event| {
        let Some(conclusion) = read(event, cx.now)? else { return Ok(()) };
        if !collect(conn, cx, conclusion).await?.is_empty() {
            invited.notify_one();
        }
        Ok(())
    })
    .await
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
