//! What this service does without being asked: follow the feeds of the others, and review risks and types as time goes by.

mod entry;
mod feedback;
mod interaction;
mod newsletter;
mod reviewer;
mod toucher;

#[cfg(test)]
pub(crate) use interaction::follow as follow_interaction;
#[cfg(test)]
pub(crate) use newsletter::follow as follow_newsletter;
#[cfg(test)]
pub(crate) use reviewer::{review, review_type};
#[cfg(test)]
pub(crate) use toucher::tell;

use std::time::Duration;

use rapport_client::feed::{FeedbackFeed, InteractionFeed, NewsletterFeed};
use rapport_core::World;
use rapport_db::Database;
use rapport_server::{Beginning, Consumer, Host, Job, StartError, consume};

use crate::{NAME, domain::Thresholds};

/// All jobs of this service.
///
/// # Errors
/// When a peer's address cannot be used.
pub fn jobs(host: &Host, database: &Database, thresholds: Thresholds, review_interval: Duration) -> Result<Vec<Job>, StartError> {
    let (interaction, feedback) = (InteractionFeed(host.peer("interaction")?), FeedbackFeed(host.peer("feedback")?));
    let newsletter = NewsletterFeed(host.peer("newsletter")?);
    let world = host.world.clone();
    Ok(vec![
        follower("interaction-follower", interaction, interaction::TYPES, database, &world, move |consumer| async move {
            let thresholds = &thresholds;
            consume(consumer, async |conn, cx, event| interaction::follow(conn, cx, thresholds, event).await).await
        }),
        follower("feedback-follower", feedback, feedback::TYPES, database, &world, move |consumer| async move {
            let thresholds = &thresholds;
            consume(consumer, async |conn, cx, event| feedback::follow(conn, cx, thresholds, event).await).await
        }),
        follower("newsletter-follower", newsletter, newsletter::TYPES, database, &world, move |consumer| async move {
            let thresholds = &thresholds;
            consume(consumer, async |conn, cx, event| newsletter::follow(conn, cx, thresholds, event).await).await
        }),
        toucher::job(database.clone(), world.clone(), review_interval),
        reviewer::job(database.clone(), world, thresholds, review_interval),
    ])
}

/// A job that follows one feed from its oldest event: timelines are made of events, and a snapshot has none.
fn follower<F, R, O>(
    name: &'static str,
    feed: F,
    types: &'static [&'static str],
    database: &Database,
    world: &World,
    run: impl Fn(Consumer<F>) -> R + Send + Sync + 'static,
) -> Job
where
    F: Clone + Send + Sync + 'static,
    R: Future<Output = O> + Send + 'static,
    O: rapport_server::JobEnd,
{
    let (database, world) = (database.clone(), world.clone());
    Job::new(name, move |stop| {
        let (feed, database, world) = (feed.clone(), database.clone(), world.clone());
        run(Consumer { service: NAME, database, world, feed, types, beginning: Beginning::Earliest, stop })
    })
}
