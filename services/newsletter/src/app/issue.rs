//! Issues: writing them, sending them, and the account of their recipients.

use std::{collections::HashMap, time::Duration};

use rapport_core::{Context, DeliveryId, Email, Failure, IssueId, MessageId, Page, PublicationId, SubscriptionId, Time, Violations};
use rapport_db::Conn;

use super::{
    Failed, announce,
    message::{Test, send_test},
    unchanged,
};
pub use crate::store::{counts::Kept, delivery::Filter as DeliveryFilter, issue::Filter as IssueFilter};
use crate::{
    domain::{
        Attempt, Audience, Content, Delivery, Event, Issue, IssueState, Keys, OnUnknown, PublicationKind, Refused, StopRule, Subscriber,
        issue::MAX_LATENESS,
        preview::{self, Preview},
        template::{self, Links},
    },
    store,
};

/// Writes a draft.
#[derive(Clone, Debug)]
pub struct CreateIssue {
    /// Its id.
    pub id: IssueId,
    /// Its publication.
    pub publication: PublicationId,
    /// What it says, checked.
    pub content: Content,
    /// To whom it goes.
    pub audience: Audience,
    /// What happens to unknown outcomes.
    pub on_unknown: OnUnknown,
    /// How long deferred deliveries are tried.
    pub give_up_after: Duration,
}

/// Writes a draft.
///
/// # Errors
/// When there is no such publication, or the id is taken.
pub async fn create_issue(conn: &mut Conn<'_>, cx: &Context, command: CreateIssue) -> Result<Issue, Failed> {
    let CreateIssue { id, publication, content, audience, on_unknown, give_up_after } = command;
    let found = store::publication::find(conn, publication).await?.ok_or_else(|| Failure::not_found("publication", publication))?;
    if found.kind == PublicationKind::Notice {
        check_notice(&content, &audience)?;
    }
    let issue = Issue {
        id,
        version: 1,
        publication,
        content,
        audience,
        on_unknown,
        give_up_after,
        state: IssueState::Draft,
        journey: cx.journey.unwrap_or_else(|| cx.fresh()),
        state_reason: String::new(),
        send_time: None,
        max_lateness: MAX_LATENESS,
        stop_rule: StopRule::Armed,
        freeze_failure: None,
        frozen_to: None,
        create_time: cx.now,
        freeze_time: None,
        start_time: None,
        complete_time: None,
    };
    if !store::issue::insert(conn, issue.clone()).await? {
        return Err(Failure::Refused(Refused::IdTaken(id.to_string())));
    }
    Ok(issue)
}

/// A notice goes to a segment or a filter, and nobody can leave it.
fn check_notice(content: &Content, audience: &Audience) -> Result<(), Failed> {
    if !audience.narrowed() {
        return Err(Failure::Refused(Refused::AudienceMissing));
    }
    let mut violations = Violations::new();
    content.check("issue", &template::notice_sample(), &mut violations);
    if violations.is_empty() { Ok(()) } else { Err(Failure::Invalid(violations)) }
}

/// Reads an issue.
///
/// # Errors
/// When there is none.
pub async fn get_issue(conn: &mut Conn<'_>, id: IssueId) -> Result<Issue, Failed> {
    store::issue::find(conn, id).await?.ok_or_else(|| Failure::not_found("issue", id))
}

/// Lists issues.
///
/// # Errors
/// When the database fails.
pub async fn list_issues(conn: &mut Conn<'_>, filter: IssueFilter, page: &Page<(Time, IssueId)>) -> Result<(Vec<Issue>, String), Failed> {
    let rows = store::issue::list(conn, filter, page.after, page.fetch()).await?;
    Ok(page.answer(rows, |issue| (issue.create_time, issue.id)))
}

/// Begins to send an issue; one that is being sent or was sent stays as it is.
///
/// # Errors
/// When there is none, it is not the version that the caller read, or it was cancelled.
pub async fn send_issue(conn: &mut Conn<'_>, cx: &Context, id: IssueId, version: Option<i64>) -> Result<Issue, Failed> {
    let loaded = store::issue::find_for_update(conn, id).await?.ok_or_else(|| Failure::not_found("issue", id))?;
    let read = loaded.version;
    let Some(sending) = loaded.clone().send(cx.now).map_err(Failure::Refused)? else { return Ok(loaded) };
    if version.is_some_and(|version| version != read) {
        return Err(Failure::Stale);
    }
    store::counts::insert(conn, id).await?;
    Ok(unchanged(store::issue::update(conn, sending).await?)?)
}

/// Schedules an issue, or takes it back to the draft without a time; one that is scheduled so already stays as it is.
///
/// # Errors
/// When there is none, it is not the version that the caller read, or it was sent or cancelled.
pub async fn schedule_issue(
    conn: &mut Conn<'_>,
    cx: &Context,
    id: IssueId,
    version: Option<i64>,
    (send_time, max_lateness): (Option<Time>, Duration),
) -> Result<Issue, Failed> {
    let loaded = store::issue::find_for_update(conn, id).await?.ok_or_else(|| Failure::not_found("issue", id))?;
    let read = loaded.version;
    let scheduled = loaded.clone().schedule(send_time, max_lateness).map_err(Failure::Refused)?;
    let Some(scheduled) = scheduled else { return Ok(loaded) };
    if version.is_some_and(|version| version != read) {
        return Err(Failure::Stale);
    }
    let saved = unchanged(store::issue::update(conn, scheduled).await?)?;
    if saved.state == IssueState::Scheduled {
        announce(conn, cx, &Event::IssueScheduled(Box::new(saved.clone()))).await?;
    }
    Ok(saved)
}

/// Whether the time of some issue has come.
///
/// # Errors
/// When the database fails.
pub async fn any_due(conn: &mut Conn<'_>, now: Time) -> Result<bool, Failed> {
    Ok(!store::issue::list_scheduled(conn, now, 1).await?.is_empty())
}

/// Begins to send the issues whose time has come; those whose time passed too long ago have missed it. Answers how many there were.
///
/// # Errors
/// When the database fails.
pub async fn begin_due(conn: &mut Conn<'_>, cx: &Context) -> Result<usize, Failed> {
    let due = store::issue::list_scheduled(conn, cx.now, 100).await?;
    for id in &due {
        let Some(loaded) = store::issue::find_for_update(conn, *id).await? else { continue };
        let Some(begun) = loaded.due(cx.now) else { continue };
        if begun.state == IssueState::Freezing {
            store::counts::insert(conn, *id).await?;
        }
        let saved = unchanged(store::issue::update(conn, begun).await?)?;
        if saved.state == IssueState::Missed {
            announce(conn, cx, &Event::IssueMissed(Box::new(saved))).await?;
        }
    }
    Ok(due.len())
}

/// What is done with an issue on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Control {
    /// It is paused, for this reason.
    Pause(String),
    /// It goes on.
    Resume,
    /// It is given up, for this reason.
    Cancel(String),
}

/// Pauses, resumes or cancels an issue; one that is so already stays as it is. Of one that is cancelled before its start the rows are
/// removed: nobody was mailed. Later the sweeper settles who waits.
///
/// # Errors
/// When there is none, it is not the version that the caller read, or its state does not allow it.
pub async fn control_issue(
    conn: &mut Conn<'_>,
    cx: &Context,
    id: IssueId,
    version: Option<i64>,
    control: &Control,
) -> Result<Issue, Failed> {
    let loaded = store::issue::find_for_update(conn, id).await?.ok_or_else(|| Failure::not_found("issue", id))?;
    let read = loaded.version;
    let (changed, event): (_, fn(Box<Issue>) -> Event) = match control {
        Control::Pause(reason) => (loaded.clone().pause(reason.clone()), Event::IssuePaused),
        Control::Resume => (loaded.clone().resume(), Event::IssueResumed),
        Control::Cancel(reason) => (loaded.clone().cancel(reason.clone(), cx.now), Event::IssueCancelled),
    };
    let Some(changed) = changed.map_err(Failure::Refused)? else { return Ok(loaded) };
    if version.is_some_and(|version| version != read) {
        return Err(Failure::Stale);
    }
    if matches!(control, Control::Cancel(_)) && changed.start_time.is_none() {
        store::delivery::delete_of_issue(conn, id).await?;
        store::counts::delete(conn, id).await?;
    }
    let saved = unchanged(store::issue::update(conn, changed).await?)?;
    announce(conn, cx, &event(Box::new(saved.clone()))).await?;
    Ok(saved)
}

/// The issues that were cancelled and whose recipients are not all settled yet.
///
/// # Errors
/// When the database fails.
pub async fn list_giving_up(conn: &mut Conn<'_>, limit: i64) -> Result<Vec<IssueId>, Failed> {
    Ok(store::issue::list_giving_up(conn, limit).await?)
}

/// The account of an issue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The issue.
    pub issue: IssueId,
    /// Where it stands.
    pub state: IssueState,
    /// Why it was paused or cancelled.
    pub state_reason: String,
    /// Whether the stop rule paused it.
    pub stopped: bool,
    /// The counters.
    pub kept: Kept,
}

impl Account {
    /// Whether nothing will change any more by itself.
    pub const fn over(&self) -> bool {
        match self.state {
            // By itself: somebody may still schedule or send it.
            IssueState::Completed | IssueState::Missed => true,
            IssueState::Cancelled => self.kept.counts.settled(),
            IssueState::Draft | IssueState::Scheduled | IssueState::Freezing | IssueState::Sending | IssueState::Paused => false,
        }
    }
}

/// Reads the account of an issue.
///
/// # Errors
/// When there is none.
pub async fn get_accounting(conn: &mut Conn<'_>, id: IssueId) -> Result<Account, Failed> {
    let issue = get_issue(conn, id).await?;
    let kept = store::counts::find(conn, id).await?;
    let stopped = issue.stop_rule == StopRule::Stopped;
    Ok(Account { issue: id, state: issue.state, state_reason: issue.state_reason, stopped, kept })
}

/// A delivery with its attempts.
pub type Tried = (Delivery, Vec<Attempt>);

/// Lists the deliveries of an issue with their attempts.
///
/// # Errors
/// When there is no such issue.
pub async fn list_deliveries(
    conn: &mut Conn<'_>,
    issue: IssueId,
    filter: &DeliveryFilter,
    page: &Page<DeliveryId>,
) -> Result<(Vec<Tried>, String), Failed> {
    get_issue(conn, issue).await?;
    let rows = store::delivery::list(conn, issue, filter, page.after, page.fetch()).await?;
    let (rows, token) = page.answer(rows, |delivery| delivery.id);
    let ids: Vec<DeliveryId> = rows.iter().map(|delivery| delivery.id).collect();
    let mut attempts: HashMap<DeliveryId, Vec<Attempt>> = HashMap::new();
    for attempt in store::attempt::list(conn, &ids).await? {
        attempts.entry(attempt.delivery).or_default().push(attempt);
    }
    let tried = rows.into_iter().map(|delivery| {
        let attempts = attempts.remove(&delivery.id).unwrap_or_default();
        (delivery, attempts)
    });
    Ok((tried.collect(), token))
}

/// How the links of one person look in previews and tests: they are nobody's.
const NOBODY: &str = "preview";

/// An issue as one subscriber would get it, or a sample person; nothing is stored.
///
/// # Errors
/// When there is no such issue, or no such subscription of its publication.
pub async fn preview_issue(
    conn: &mut Conn<'_>,
    id: IssueId,
    subscription: Option<SubscriptionId>,
    public_url: &str,
) -> Result<Preview, Failed> {
    let issue = get_issue(conn, id).await?;
    let publication =
        store::publication::find(conn, issue.publication).await?.ok_or_else(|| Failure::not_found("publication", issue.publication))?;
    let [url, preferences] = ["unsubscribe", "preferences"]
        .map(|page| (publication.kind == PublicationKind::Newsletter).then(|| format!("{public_url}/{page}/{NOBODY}")));
    let links =
        url.as_deref().zip(preferences.as_deref()).map(|(unsubscribe_url, preferences_url)| Links { unsubscribe_url, preferences_url });
    let values = |name: &str, email: &str, language: &str| {
        template::issue_values(name, email, language, &publication.display_name, &publication.description, links)
    };
    let values = match subscription {
        None => values("Ada", "ada@example.com", "en"),
        Some(id) => {
            let found = store::subscription::find(conn, id).await?.filter(|found| found.publication == issue.publication);
            let Subscriber { email, display_name, language, .. } = found.ok_or_else(|| Failure::not_found("subscription", id))?.subscriber;
            values(&display_name, email.as_str(), language.as_ref().map(ToString::to_string).as_deref().unwrap_or_default())
        }
    };
    Ok(preview::preview(issue.content.render(&values).map(|rendered| match &url {
        Some(url) => rendered.with_unsubscribe(url),
        None => rendered,
    })))
}

/// A test of an issue.
#[derive(Clone, Debug)]
pub struct TestIssue {
    /// Which issue.
    pub issue: IssueId,
    /// As which subscriber; a sample person without.
    pub subscription: Option<SubscriptionId>,
    /// Who gets it.
    pub to_email: Email,
    /// The message that carries it.
    pub message: MessageId,
}

/// Sends a test of an issue as a message of its own, which the account of the issue does not know of.
///
/// # Errors
/// When there is no such issue or subscription, when it cannot be rendered, or its sender is gone.
pub async fn test_issue(
    conn: &mut Conn<'_>,
    cx: &Context,
    keys: &Keys,
    command: &TestIssue,
    public_url: &str,
) -> Result<MessageId, Failed> {
    let TestIssue { issue, subscription, to_email, message } = command;
    let Preview { rendered, problems } = preview_issue(conn, *issue, *subscription, public_url).await?;
    let rendered = rendered.ok_or_else(|| Failure::Refused(Refused::IssueUnrenderable(problems.join("; "))))?;
    let issue = get_issue(conn, *issue).await?;
    let publication =
        store::publication::find(conn, issue.publication).await?.ok_or_else(|| Failure::not_found("publication", issue.publication))?;
    let sender = store::sender::find(conn, publication.sender).await?.ok_or(Failure::Refused(Refused::SenderMissing))?;
    Ok(send_test(conn, cx, keys, &sender, Test { id: *message, to_email: to_email.clone(), journey: issue.journey, rendered })
        .await?
        .message
        .id)
}
