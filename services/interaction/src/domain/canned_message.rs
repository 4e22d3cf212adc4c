//! Canned messages: written once, approved version by version, and then used many times.

use rapport_core::{CannedMessageId, Context, Time, words};

use super::{
    Refused, Scope,
    template::{self, Problem, Variables},
};

words! {
    /// What a canned message is.
    pub enum CannedMessageKind {
        /// A text to say or to send.
        Text = 1 "TEXT",
        /// A file to hand over.
        Material = 2 "MATERIAL",
    }
}

/// A canned message as a caller gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CannedMessageDraft {
    /// What it is called up by.
    pub short_code: String,
    /// A text or a piece of material.
    pub kind: CannedMessageKind,
    /// The template of the subject.
    pub subject: String,
    /// The template of the body.
    pub body: String,
    /// Where the file of a material is.
    pub file: String,
    /// Where it applies.
    pub scope: Scope,
    /// Whether it is for our own eyes.
    pub confidential: bool,
}

/// A canned message as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CannedMessage {
    /// Its id.
    pub id: CannedMessageId,
    /// The version of the row.
    pub version: i64,
    /// What it says.
    pub draft: CannedMessageDraft,
    /// The version of its text, from 1.
    pub revision: i32,
    /// The version that was approved last.
    pub approval: Option<Approval>,
    /// Who wrote the present version.
    pub written_by: String,
    /// When it was created.
    pub create_time: Time,
    /// When it was last changed.
    pub update_time: Time,
}

/// Who approved which version of a text, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// The version.
    pub revision: i32,
    /// The caller.
    pub by: String,
    /// When.
    pub time: Time,
}

/// The words of a canned message, filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The subject, one line.
    pub subject: String,
    /// The body.
    pub body: String,
}

impl CannedMessage {
    /// Writes a new one.
    pub fn write(id: CannedMessageId, draft: CannedMessageDraft, cx: &Context) -> Self {
        let written_by = cx.caller.name.to_string();
        Self { id, version: 1, draft, revision: 1, approval: None, written_by, create_time: cx.now, update_time: cx.now }
    }

    /// Replaces what it says. Another text is another version, which nobody has approved.
    #[must_use]
    pub fn rewrite(mut self, draft: CannedMessageDraft, cx: &Context) -> Self {
        let text = |draft: &CannedMessageDraft| (draft.kind, draft.subject.clone(), draft.body.clone(), draft.file.clone());
        if text(&self.draft) != text(&draft) {
            self.revision += 1;
            self.written_by = cx.caller.name.to_string();
        }
        self.draft = draft;
        self.update_time = cx.now;
        self
    }

    /// Approves this version of it.
    ///
    /// # Errors
    /// When another version is the present one.
    pub fn approve(mut self, revision: i32, cx: &Context) -> Result<Self, Refused> {
        if revision != self.revision {
            return Err(Refused::CannedMessageVersion { id: self.id, version: self.revision });
        }
        self.approval = Some(Approval { revision, by: cx.caller.name.to_string(), time: cx.now });
        self.update_time = cx.now;
        Ok(self)
    }

    /// Whether its present version is approved.
    pub fn approved(&self) -> bool {
        self.approval.as_ref().is_some_and(|approval| approval.revision == self.revision)
    }

    /// Refuses one whose present version is not approved, and says why.
    ///
    /// # Errors
    /// When it is not approved.
    pub fn usable(&self) -> Result<(), Refused> {
        if self.approved() {
            return Ok(());
        }
        let approved = self.approval.as_ref().map(|approval| approval.revision);
        Err(Refused::CannedMessageNotApproved { id: self.id, version: self.revision, approved })
    }

    /// Its words, filled in. Every variable that subject or body lacks is named.
    ///
    /// # Errors
    /// What is missing or wrong, by the field that it concerns.
    pub fn render(&self, variables: &Variables) -> Result<Rendered, Vec<(String, String)>> {
        let subject = template::render(&self.draft.subject, variables);
        let body = template::render(&self.draft.body, variables);
        match (subject, body) {
            (Ok(subject), Ok(body)) => Ok(Rendered { subject: subject.split_whitespace().collect::<Vec<_>>().join(" "), body }),
            (subject, body) => {
                let mut problems: Vec<_> =
                    [("subject", subject), ("body", body)].into_iter().flat_map(|(part, of)| told(part, of)).collect();
                problems.sort_unstable();
                problems.dedup();
                Err(problems)
            }
        }
    }
}

fn told(part: &str, rendered: Result<String, Problem>) -> Vec<(String, String)> {
    match rendered {
        Ok(_) => Vec::new(),
        Err(Problem::Missing(names)) => {
            let missing = "is missing: the message names it, and neither the interaction nor its customer offers it".to_owned();
            names.into_iter().map(|name| (format!("variables.{name}"), missing.clone())).collect()
        }
        Err(Problem::Wrong(problem)) => vec![(part.to_owned(), format!("cannot be filled in: {problem}"))],
    }
}
