//! From a leased delivery to its letter.

use minijinja::{Value, context};
use rapport_core::Time;

use crate::{
    app::ledger::{About, Work},
    domain::{Delivery, Issue, Keys, Message, Publication, Purpose, Rendered, Subscription, template},
    mail::{Letter, ListHeaders, Signers, Words, compose::compose},
};

/// Writes the letter of a delivery.
///
/// # Errors
/// Why it cannot be made into a mail for this recipient.
pub fn write(work: &Work, keys: &Keys, signers: &Signers, public_url: &str, date: Time) -> Result<Letter, String> {
    let letter = match &work.about {
        About::Issue(about) => of_issue(work, &about.0, &about.1, keys, public_url, date),
        About::Message(about) => of_message(work, &about.0, about.1.as_ref(), keys, public_url, date),
    }?;
    signers.sign(letter, work.sender.from_address.domain(), date)
}

fn of_issue(work: &Work, issue: &Issue, publication: &Publication, keys: &Keys, public_url: &str, date: Time) -> Result<Letter, String> {
    let delivery = &work.delivery;
    let token = delivery.subscription.map(|id| keys.seal(Purpose::Unsubscribe, id)).ok_or("the delivery has no subscription")?;
    let unsubscribe_url = format!("{public_url}/unsubscribe/{token}");
    let Delivery { display_name, email, language, .. } = delivery;
    let values = template::issue_values(
        display_name,
        email.as_str(),
        language,
        &publication.display_name,
        &publication.description,
        &unsubscribe_url,
    );
    let rendered = issue.content.render(&values)?.with_unsubscribe(&unsubscribe_url);
    let list = ListHeaders {
        id: publication.id.uuid().simple().to_string(),
        name: publication.display_name.clone(),
        unsubscribe_url,
        unsubscribe_local: format!("u+{token}"),
        campaign: issue.id.uuid().simple().to_string(),
    };
    Ok(compose(&words(work, &rendered, Some(&list), None, date), keys))
}

fn of_message(
    work: &Work,
    message: &Message,
    confirms: Option<&Subscription>,
    keys: &Keys,
    public_url: &str,
    date: Time,
) -> Result<Letter, String> {
    let rendered = match confirms {
        Some(subscription) => {
            let confirm_url = format!("{public_url}/confirm/{}", keys.seal(Purpose::Confirm, subscription.confirmation));
            message.content.render(&context! { confirm_url, ..Value::from_serialize(&message.variables) })?
        }
        None => message.content.render(&Value::from_serialize(&message.variables))?,
    };
    Ok(compose(&words(work, &rendered, None, message.in_reply_to.as_deref(), date), keys))
}

fn words<'a>(work: &'a Work, rendered: &'a Rendered, list: Option<&'a ListHeaders>, in_reply_to: Option<&'a str>, date: Time) -> Words<'a> {
    Words {
        sender: &work.sender,
        to: &work.delivery.email,
        to_name: &work.delivery.display_name,
        delivery: work.delivery.id,
        message_id: &work.delivery.mail_message_id,
        rendered,
        list,
        in_reply_to,
        date,
    }
}
