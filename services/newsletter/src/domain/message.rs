//! One mail to one person outside an issue.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use rapport_core::{ContactPurpose, CustomerId, Email, JourneyId, MessageId, SenderId, SubscriptionId, Time};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    template::{Content, Rendered},
    wording::{Wording, as_html_template, as_template},
};

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
pub fn confirmation(wording: &Wording) -> Content {
    let Wording { language, direction, mail_subject, mail_intro, mail_link, mail_note, .. } = wording;
    Content {
        subject: as_template(mail_subject),
        html: format!(
            "<div lang=\"{language}\" dir=\"{direction}\">\n<p>{}</p>\n<p><a href=\"{{{{ confirm_url }}}}\">{}</a></p>\n<p>{}</p>\n</div>\n",
            as_html_template(mail_intro),
            as_html_template(mail_link),
            as_html_template(mail_note),
        ),
        text: format!("{}\n\n{}:\n{{{{ confirm_url }}}}\n\n{mail_note}\n", as_template(mail_intro), mail_link),
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
