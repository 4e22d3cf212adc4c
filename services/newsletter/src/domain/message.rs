//! One mail to one person outside an issue.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use rapport_core::{ContactPurpose, CustomerId, Email, JourneyId, MessageId, SenderId, SubscriptionId, Time};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::template::{Content, Rendered};

/// How long a deferred single message is tried.
pub const GIVE_UP_AFTER: std::time::Duration = std::time::Duration::from_secs(72 * 3600);

/// A message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Its id, unique for ever.
    pub id: MessageId,
    /// The sender.
    pub sender: SenderId,
    /// The customer, if it goes to one.
    pub customer: Option<CustomerId>,
    /// The address.
    pub to_email: Email,
    /// What the person is called.
    pub to_name: String,
    /// What the contact is for.
    pub purpose: ContactPurpose,
    /// What it says.
    pub content: Content,
    /// What its templates may name.
    pub variables: BTreeMap<String, String>,
    /// The mail that it answers.
    pub in_reply_to: Option<String>,
    /// The subscription that it asks to confirm: then it carries a confirmation link.
    pub confirms: Option<SubscriptionId>,
    /// The fingerprint of what the caller gave.
    pub fingerprint: String,
    /// The journey that it belongs to.
    pub journey: JourneyId,
    /// When it was created.
    pub create_time: Time,
}

/// The fingerprint of what a caller gave for a message: the same id with another one is another message.
pub fn fingerprint(given: &impl Serialize) -> String {
    let json = serde_json::to_vec(given).unwrap_or_default();
    HEXLOWER.encode(&Sha256::digest(json))
}

/// The templates of the mail that asks a person to confirm a subscription.
pub fn confirmation() -> Content {
    Content {
        subject: "Please confirm your subscription of {{ publication }}".to_owned(),
        html: concat!(
            "<p>Somebody, hopefully you, asked us to send <strong>{{ publication }}</strong> to this address.</p>\n",
            "<p><a href=\"{{ confirm_url }}\">Confirm the subscription</a></p>\n",
            "<p>The link works for 7 days. If it was not you, do nothing: without your confirmation nothing will be sent.</p>\n",
        )
        .to_owned(),
        text: concat!(
            "Somebody, hopefully you, asked us to send {{ publication }} to this address.\n\n",
            "Confirm the subscription here:\n{{ confirm_url }}\n\n",
            "The link works for 7 days. If it was not you, do nothing: without your confirmation nothing will be sent.\n",
        )
        .to_owned(),
        ..Content::default()
    }
}

/// A test of an issue: what was rendered for it, marked, as a message of its own.
pub fn test_of(rendered: Rendered) -> (Content, BTreeMap<String, String>) {
    let Rendered { subject, html, text } = rendered;
    let content = Content {
        subject: "[Test] {{ subject }}".to_owned(),
        html: if html.is_some() { "{{ html | safe }}".to_owned() } else { String::new() },
        text: "{{ text }}".to_owned(),
        ..Content::default()
    };
    let html = html.map(|html| ("html".to_owned(), html));
    (content, [("subject".to_owned(), subject), ("text".to_owned(), text)].into_iter().chain(html).collect())
}
