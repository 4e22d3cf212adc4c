//! What to do and what not to in a situation, by the manual and by what is known of the customer; each with why it applies.

use rapport_core::{Channel, CustomerType, InteractionKind, RiskLevel, Setting};

use super::{
    Commitment, EtiquetteRule, Initiator, ManualElement, ManualSection, ManualVersion, Match, Note, NoteKind, Purpose, RuleStance,
    Situation,
};

/// How much of a list of notes is given, the newest first.
pub const MAX_NOTES: usize = 100;

/// How likely a customer is to have a bad experience, as the customer service told last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Risk {
    /// The level.
    pub level: RiskLevel,
    /// From 0 to 100.
    pub score: i32,
    /// Every reason in a sentence, the heaviest first.
    pub reasons: Vec<String>,
}

impl Risk {
    /// The risk in one sentence.
    pub fn summary(&self) -> String {
        let heading = match self.level {
            RiskLevel::Healthy => "No reason for concern",
            RiskLevel::Watch => "Worth watching",
            RiskLevel::AtRisk => "At risk of a bad experience",
            RiskLevel::Critical => "At risk of leaving: act now",
        };
        let reasons: Vec<&str> = self.reasons.iter().take(3).map(|reason| reason.trim_end_matches('.')).collect();
        match reasons.as_slice() {
            [] => format!("{heading} ({} of 100).", self.score),
            reasons => format!("{heading} ({} of 100): {}.", self.score, reasons.join("; ")),
        }
    }
}

/// What is known beside the manual.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// How formal the customer wants to be.
    pub preferred_setting: Option<Setting>,
    /// What is known of the customer as a person, the newest first.
    pub notes: Vec<Note>,
    /// The risk, if the customer service told of one.
    pub risk: Option<Risk>,
    /// What was promised and is not kept yet, the most urgent first.
    pub open_commitments: Vec<Commitment>,
}

/// Something of the manual, and why it applies.
#[derive(Clone, Debug, PartialEq)]
pub struct Applying<T> {
    /// What applies.
    pub what: T,
    /// Which dimensions of its scope matched, in words.
    pub because: String,
}

/// What to do and what not to.
#[derive(Clone, Debug, PartialEq)]
pub struct Guidance {
    /// The situation that it is for, with the advised setting if none was known.
    pub situation: Situation,
    /// What to do, the most specific first.
    pub dos: Vec<Applying<EtiquetteRule>>,
    /// What not to do, the most specific first.
    pub donts: Vec<Applying<EtiquetteRule>>,
    /// The sections that may be shared with the customer, the most specific first.
    pub sections: Vec<Applying<ManualSection>>,
    /// The sections for our people only.
    pub confidential_sections: Vec<Applying<ManualSection>>,
    /// How customers of these types, and interactions of this kind, are met.
    pub playbook: Vec<Applying<ManualSection>>,
    /// What the customer has brought up, and so may be spoken of.
    pub invited_topics: Vec<String>,
    /// What excites the customer, what the customer's business stands for, and how to be a good host.
    pub interests: Vec<String>,
    /// What the customer uses: it is never criticised.
    pub never_criticise: Vec<String>,
    /// What was promised and is not kept yet.
    pub open_commitments: Vec<Commitment>,
    /// The risk, if any is known.
    pub risk: Option<Risk>,
    /// By the book or personal.
    pub advised_setting: Setting,
    /// Why.
    pub advised_because: &'static str,
}

/// What to do and what not to in this situation.
pub fn guide(manual: Option<&ManualVersion>, mut situation: Situation, known: Known) -> Guidance {
    let Known { preferred_setting, notes, risk, open_commitments } = known;
    let (advised_setting, advised_because) = advise(&situation, preferred_setting, risk.as_ref().map(|risk| risk.level));
    situation.setting.get_or_insert(advised_setting);
    let (mut dos, mut donts) = (Vec::new(), Vec::new());
    for rule in manual.into_iter().flat_map(|manual| &manual.contents.rules) {
        let list = if rule.stance == RuleStance::Do { &mut dos } else { &mut donts };
        list.extend(rule.scope.matches(&situation).map(|found| (found, rule)));
    }
    let (mut sections, mut confidential, mut playbook) = (Vec::new(), Vec::new(), Vec::new());
    for section in manual.into_iter().flat_map(|manual| &manual.contents.sections) {
        let list = match section.element {
            _ if section.confidential => &mut confidential,
            ManualElement::Playbook => &mut playbook,
            _ => &mut sections,
        };
        list.extend(section.scope.matches(&situation).map(|found| (found, section)));
    }
    Guidance {
        dos: ranked(dos),
        donts: ranked(donts),
        sections: ranked(sections),
        confidential_sections: ranked(confidential),
        playbook: ranked(playbook),
        invited_topics: texts(&notes, |note| {
            note.initiator == Some(Initiator::ByCustomer) && !matches!(note.kind, NoteKind::UsesProduct | NoteKind::Dislike)
        }),
        interests: texts(&notes, |note| {
            matches!(note.kind, NoteKind::Interest | NoteKind::BusinessVision | NoteKind::Values | NoteKind::Hospitality)
        }),
        never_criticise: texts(&notes, |note| note.kind == NoteKind::UsesProduct),
        open_commitments,
        risk,
        advised_setting,
        advised_because,
        situation,
    }
}

/// The most specific first; those that are equally specific stay in the order of the manual.
fn ranked<T: Clone>(mut found: Vec<(Match, &T)>) -> Vec<Applying<T>> {
    found.sort_by(|(left, _), (right, _)| right.cmp(left));
    found.into_iter().map(|(found, what)| Applying { what: what.clone(), because: found.explain() }).collect()
}

fn texts(notes: &[Note], wanted: impl Fn(&Note) -> bool) -> Vec<String> {
    notes.iter().filter(|note| wanted(note)).map(|note| note.text.clone()).take(MAX_NOTES).collect()
}

/// By the book or personal, by the first reason that holds.
fn advise(situation: &Situation, preferred: Option<Setting>, risk: Option<RiskLevel>) -> (Setting, &'static str) {
    let is_purpose = |purposes: &[Purpose]| situation.purpose.is_some_and(|purpose| purposes.contains(&purpose));
    let is_channel = |channels: &[Channel]| situation.channel.is_some_and(|channel| channels.contains(&channel));
    let is_type = |of: CustomerType| situation.customer_types.contains(&of);
    if situation.kind == Some(InteractionKind::Unwanted) || is_purpose(&[Purpose::Complaint]) {
        return (Setting::Formal, "a complaint or an unwanted interaction is handled by the book");
    }
    if is_purpose(&[Purpose::Billing]) {
        return (Setting::Formal, "money is handled by the book");
    }
    if let Some(preferred) = preferred {
        return (preferred, "the customer prefers it");
    }
    if is_channel(&[Channel::Street, Channel::Event]) || is_purpose(&[Purpose::EventEncounter]) {
        return (Setting::Informal, "one meets informally in the street and at events");
    }
    if risk.is_some_and(|risk| matches!(risk, RiskLevel::AtRisk | RiskLevel::Critical)) {
        return (Setting::Formal, "the customer is at risk, so nothing is left to chance");
    }
    if is_purpose(&[Purpose::Relationship]) {
        return (Setting::Informal, "keeping in touch is personal");
    }
    if is_type(CustomerType::Loyal) && is_channel(&[Channel::FaceToFace, Channel::Phone, Channel::Video, Channel::Social]) {
        return (Setting::Informal, "a loyal customer whom one sees or speaks to is met in person");
    }
    if is_channel(&[Channel::Social]) {
        return (Setting::Informal, "social networks are personal");
    }
    (Setting::Formal, "nothing speaks for the personal way")
}
