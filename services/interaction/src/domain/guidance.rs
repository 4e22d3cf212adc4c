//! What to do and what not to in a situation, by the manual and by what is known of the customer; each with why it applies.

use rapport_core::{CallFlowId, Channel, CustomerType, InteractionKind, RiskLevel, Setting};

use super::{
    Commitment, EtiquetteRule, Initiator, ManualElement, ManualSection, ManualVersion, Match, Note, NoteKind, Purpose, RuleStance,
    Situation,
    call_flow::Step,
    connection::Connection,
    default_setting::DefaultSettings,
    shelf::{OfferedFlow, OfferedMessage, Shelf},
};

/// How much of a list of notes is given, the newest first.
pub const MAX_NOTES: usize = 100;
/// How many canned messages are offered, the most specific first.
pub const MAX_MESSAGES: usize = 20;
/// How many of our people who know the customer are told of, the closest first.
pub const MAX_CONNECTIONS: usize = 20;

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
    /// Who of ours knows the customer, the closest first.
    pub connections: Vec<Connection>,
    /// The call flow that the interaction follows, if it follows one.
    pub following: Option<GuidedFlow>,
}

/// What the house has beside the manual.
#[derive(Clone, Copy, Debug)]
pub struct House<'a> {
    /// The approved messages and the call flows.
    pub shelf: &'a Shelf,
    /// By the book or personal, where nothing else decides.
    pub defaults: &'a DefaultSettings,
}

/// The call flow to follow, and where to go on in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuidedFlow {
    /// The call flow.
    pub id: CallFlowId,
    /// The version of what it says.
    pub revision: i32,
    /// What people of ours call it.
    pub title: String,
    /// Whether the interaction has begun it.
    pub started: bool,
    /// The step that comes next; none when all are answered.
    pub next: Option<Step>,
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
    pub advised_because: String,
    /// The approved texts and the material that fit, the most specific first.
    pub messages: Vec<Applying<OfferedMessage>>,
    /// The call flow that fits best.
    pub call_flow: Option<Applying<GuidedFlow>>,
    /// Who of ours knows the customer, the closest first.
    pub connections: Vec<Connection>,
}

/// What to do and what not to in this situation.
pub fn guide(manual: Option<&ManualVersion>, house: House<'_>, mut situation: Situation, known: Known) -> Guidance {
    let Known { preferred_setting, notes, risk, open_commitments, connections, following } = known;
    let (advised_setting, advised_because) = advise(&situation, house.defaults, preferred_setting, risk.as_ref().map(|risk| risk.level));
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
        messages: messages(house.shelf, &situation),
        call_flow: call_flow(house.shelf, &situation, following),
        connections,
        situation,
    }
}

fn messages(shelf: &Shelf, situation: &Situation) -> Vec<Applying<OfferedMessage>> {
    let fitting = shelf.messages.iter().filter_map(|message| Some((message.scope.matches(situation)?, message)));
    let mut found: Vec<(Match, &OfferedMessage)> = fitting.collect();
    found.sort_by(|(left, _), (right, _)| right.cmp(left));
    found.truncate(MAX_MESSAGES);
    ranked(found)
}

/// The call flow that the interaction follows, or else the one that fits best.
fn call_flow(shelf: &Shelf, situation: &Situation, following: Option<GuidedFlow>) -> Option<Applying<GuidedFlow>> {
    if let Some(following) = following {
        return Some(Applying { what: following, because: "the interaction follows it".to_owned() });
    }
    let (found, flow) = best_flow(shelf, situation)?;
    let OfferedFlow { id, revision, title, scope: _, first } = flow.clone();
    let what = GuidedFlow { id, revision, title, started: false, next: first };
    Some(Applying { what, because: found.explain() })
}

/// The call flow with the most specific scope that matches; of several alike the oldest.
pub fn best_flow<'a>(shelf: &'a Shelf, situation: &Situation) -> Option<(Match, &'a OfferedFlow)> {
    let mut best: Option<(Match, &OfferedFlow)> = None;
    for flow in &shelf.flows {
        if let Some(found) = flow.scope.matches(situation)
            && best.as_ref().is_none_or(|(closest, _)| found > *closest)
        {
            best = Some((found, flow));
        }
    }
    best
}

/// The most specific first; those that are equally specific stay in the order of the manual.
fn ranked<T: Clone>(mut found: Vec<(Match, &T)>) -> Vec<Applying<T>> {
    found.sort_by(|(left, _), (right, _)| right.cmp(left));
    found.into_iter().map(|(found, what)| Applying { what: what.clone(), because: found.explain() }).collect()
}

fn texts(notes: &[Note], wanted: impl Fn(&Note) -> bool) -> Vec<String> {
    notes.iter().filter(|note| wanted(note)).map(|note| note.text.clone()).take(MAX_NOTES).collect()
}

/// By the book or personal, by the first reason that holds: what the moment demands, what the customer wants, what is known of the
/// customer, what the house has for a default, and what is usual.
fn advise(situation: &Situation, defaults: &DefaultSettings, preferred: Option<Setting>, risk: Option<RiskLevel>) -> (Setting, String) {
    if let Some((setting, because)) = demanded(situation, preferred, risk) {
        return (setting, because.to_owned());
    }
    if let Some(default) = defaults.find(situation.function, situation.channel) {
        return default;
    }
    let usual = match situation.channel {
        Some(Channel::Street | Channel::Event) => (Setting::Informal, "one meets informally in the street and at events"),
        Some(Channel::Social) => (Setting::Informal, "social networks are personal"),
        _ => (Setting::Formal, "nothing speaks for the personal way"),
    };
    (usual.0, usual.1.to_owned())
}

fn demanded(situation: &Situation, preferred: Option<Setting>, risk: Option<RiskLevel>) -> Option<(Setting, &'static str)> {
    let is_purpose = |purposes: &[Purpose]| situation.purpose.is_some_and(|purpose| purposes.contains(&purpose));
    let is_channel = |channels: &[Channel]| situation.channel.is_some_and(|channel| channels.contains(&channel));
    let is_type = |of: CustomerType| situation.customer_types.contains(&of);
    if situation.kind == Some(InteractionKind::Unwanted) || is_purpose(&[Purpose::Complaint]) {
        return Some((Setting::Formal, "a complaint or an unwanted interaction is handled by the book"));
    }
    if is_purpose(&[Purpose::Billing]) {
        return Some((Setting::Formal, "money is handled by the book"));
    }
    if let Some(preferred) = preferred {
        return Some((preferred, "the customer prefers it"));
    }
    if is_purpose(&[Purpose::EventEncounter]) {
        return Some((Setting::Informal, "one meets informally at events"));
    }
    let at_risk = risk.is_some_and(|risk| matches!(risk, RiskLevel::AtRisk | RiskLevel::Critical));
    if at_risk && !is_channel(&[Channel::Street, Channel::Event]) {
        return Some((Setting::Formal, "the customer is at risk, so nothing is left to chance"));
    }
    if is_purpose(&[Purpose::Relationship]) {
        return Some((Setting::Informal, "keeping in touch is personal"));
    }
    if is_type(CustomerType::Loyal) && is_channel(&[Channel::FaceToFace, Channel::Phone, Channel::Video, Channel::Social]) {
        return Some((Setting::Informal, "a loyal customer whom one sees or speaks to is met in person"));
    }
    None
}
