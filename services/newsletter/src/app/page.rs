//! What the pages show to whoever holds a good token. Looking changes nothing.

use rapport_core::Language;
use rapport_db::Conn;

use super::Failed;
use crate::{
    domain::{Brand, Keys, Purpose, Subscription, subscription::ConfirmationId},
    store,
};

/// What a page shows of a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Whose newsletter it is.
    pub brand: Brand,
    /// What the publication is called.
    pub publication: String,
    /// The language of the person.
    pub language: Option<Language>,
    /// The token of the page of all that the person receives.
    pub preferences: String,
}

/// What the page that confirms shows; none when the token is not one of ours, or an older one.
///
/// # Errors
/// When the database fails.
pub async fn of_confirmation(conn: &mut Conn<'_>, keys: &Keys, token: &str) -> Result<Option<Shown>, Failed> {
    let confirmation: Option<ConfirmationId> = keys.open(Purpose::Confirm, token);
    let Some(confirmation) = confirmation else { return Ok(None) };
    match store::subscription::find_by_confirmation(conn, confirmation).await? {
        Some(subscription) => shown(conn, keys, subscription).await,
        None => Ok(None),
    }
}

/// What the page that ends a subscription shows; none when the token is not one of ours.
///
/// # Errors
/// When the database fails.
pub async fn of_subscription(conn: &mut Conn<'_>, keys: &Keys, token: &str) -> Result<Option<Shown>, Failed> {
    let Some(id) = keys.open(Purpose::Unsubscribe, token) else { return Ok(None) };
    match store::subscription::find(conn, id).await? {
        Some(subscription) => shown(conn, keys, subscription).await,
        None => Ok(None),
    }
}

async fn shown(conn: &mut Conn<'_>, keys: &Keys, subscription: Subscription) -> Result<Option<Shown>, Failed> {
    let Subscription { subscriber, publication, .. } = subscription;
    if subscriber.erased() {
        return Ok(None);
    }
    let Some(publication) = store::publication::find(conn, publication).await? else { return Ok(None) };
    let Some(sender) = store::sender::find(conn, publication.sender).await? else { return Ok(None) };
    Ok(Some(Shown {
        brand: sender.brand(),
        publication: publication.display_name,
        language: subscriber.language,
        preferences: keys.seal(Purpose::Preferences, subscriber.id),
    }))
}
