//! From a leased delivery to its letter.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use minijinja::{Value, context};
use rapport_core::{DeliveryId, IssueId, Time};

use crate::{
    app::claim::{About, Work},
    domain::{
        Compiled, Delivery, Issue, Keys, Message, Publication, PublicationKind, Purpose, Rendered, Subscription,
        links::lead_elsewhere,
        template::{self, Links},
    },
    mail::{Letter, ListHeaders, Signers, Words, compose::compose},
};

/// The most issues whose templates are kept ready.
const READY: usize = 32;
/// The longest address of a link that leads over our pages: many programs know no longer ones, and ours is longer.
const MAX_LINK: usize = 1400;

/// Writes letters; the templates of an issue are parsed once.
#[derive(Debug, Default)]
pub struct Writer(Mutex<HashMap<IssueId, Ready>>);

#[derive(Clone, Debug)]
struct Ready {
    content: Arc<(Issue, Publication)>,
    compiled: Arc<Compiled>,
}

/// What letters of all kinds need.
#[derive(Clone, Copy, Debug)]
pub struct House<'a> {
    /// The keys of tokens.
    pub keys: &'a Keys,
    /// The keys that sign mails.
    pub signers: &'a Signers,
    /// How people reach the pages.
    pub public_url: &'a str,
}

impl Writer {
    /// Writes the letter of a delivery.
    ///
    /// # Errors
    /// Why it cannot be made into a mail for this recipient.
    pub fn write(&self, work: &Work, house: House<'_>, date: Time) -> Result<Letter, String> {
        let letter = match &work.about {
            About::Issue(about) => of_issue(work, about, &*self.compiled(about)?, house, date),
            About::Message(about) => of_message(work, &about.0, about.1.as_ref(), house.keys, house.public_url, date),
        }?;
        house.signers.sign(letter, work.sender.from_address.domain(), date)
    }

    /// The templates of an issue. Those that are kept ready are of the same words.
    fn compiled(&self, about: &Arc<(Issue, Publication)>) -> Result<Arc<Compiled>, String> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ready) = all.get(&about.0.id)
            && (Arc::ptr_eq(&ready.content, about) || ready.content.0.content == about.0.content)
        {
            return Ok(Arc::clone(&ready.compiled));
        }
        if all.len() >= READY {
            all.clear();
        }
        let compiled = Arc::new(about.0.content.compile()?);
        all.insert(about.0.id, Ready { content: Arc::clone(about), compiled: Arc::clone(&compiled) });
        Ok(compiled)
    }
}

fn of_issue(work: &Work, about: &(Issue, Publication), compiled: &Compiled, house: House<'_>, date: Time) -> Result<Letter, String> {
    let ((issue, publication), House { keys, public_url, .. }) = (about, house);
    let delivery = &work.delivery;
    // Notices go to customers without a subscription: there is nothing to leave.
    let token = delivery.subscription.map(|id| keys.seal(Purpose::Unsubscribe, id));
    if token.is_none() && publication.kind != PublicationKind::Notice {
        return Err("the delivery has no subscription".to_owned());
    }
    let url = token.as_ref().map(|token| format!("{public_url}/unsubscribe/{token}"));
    let preferences = delivery.subscriber.map(|id| format!("{public_url}/preferences/{}", keys.seal(Purpose::Preferences, id)));
    let links =
        url.as_deref().zip(preferences.as_deref()).map(|(unsubscribe_url, preferences_url)| Links { unsubscribe_url, preferences_url });
    let Delivery { display_name, email, language, .. } = delivery;
    let values = template::issue_values(display_name, email.as_str(), language, &publication.display_name, &publication.description, links);
    let rendered = compiled.render(&values)?;
    let Some((token, unsubscribe_url)) = token.zip(url) else {
        return Ok(compose(&words(work, &rendered, None, None, date), keys));
    };
    let rendered = rendered.with_unsubscribe(&unsubscribe_url);
    let rendered = if publication.track_clicks { tracked(rendered, delivery.id, house) } else { rendered };
    let list = ListHeaders {
        id: publication.id.uuid().simple().to_string(),
        name: publication.display_name.clone(),
        unsubscribe_url,
        unsubscribe_local: format!("u+{token}"),
        campaign: issue.id.uuid().simple().to_string(),
    };
    Ok(compose(&words(work, &rendered, Some(&list), None, date), keys))
}

/// The same with its links leading over our pages; those to our pages themselves stay.
fn tracked(rendered: Rendered, delivery: DeliveryId, house: House<'_>) -> Rendered {
    let House { keys, public_url, .. } = house;
    let lead = |address: &str| {
        let scheme = address.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
        let elsewhere =
            matches!(scheme.as_deref(), Some("http" | "https")) && !address.starts_with(public_url) && address.len() <= MAX_LINK;
        elsewhere.then(|| format!("{public_url}/click/{}", keys.seal_link(delivery, address)))
    };
    Rendered { html: rendered.html.map(|html| lead_elsewhere(&html, lead)), ..rendered }
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
