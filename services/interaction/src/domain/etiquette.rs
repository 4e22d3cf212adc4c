//! The dos and don'ts of the manual, and how a draft is checked against them.

use rapport_core::words;
use serde::{Deserialize, Serialize};

use super::Scope;

words! {
    /// Whether a rule asks for something or warns of it.
    pub enum RuleStance {
        /// Do it.
        Do = 1 "DO",
        /// Do not do it.
        Dont = 2 "DONT",
    }
}

words! {
    /// What a rule is about.
    pub enum RuleTopic {
        /// Being polite.
        BePolite = 1 "BE_POLITE",
        /// Talking about what excites the customer.
        SpeakToTheirInterest = 2 "SPEAK_TO_THEIR_INTEREST",
        /// Opening up, with what is not confidential.
        OpenUp = 3 "OPEN_UP",
        /// Asking about the customer's business.
        AskAboutTheirBusiness = 4 "ASK_ABOUT_THEIR_BUSINESS",
        /// Hospitality.
        Hospitality = 5 "HOSPITALITY",
        /// Not too much information.
        NotTooMuch = 6 "NOT_TOO_MUCH",
        /// Never criticising what the customer uses.
        NeverCriticise = 7 "NEVER_CRITICISE",
        /// Nothing personal unless the customer starts.
        NoPersonalUnlessInvited = 8 "NO_PERSONAL_UNLESS_INVITED",
        /// Not stopping abruptly.
        NoAbruptEnd = 9 "NO_ABRUPT_END",
        /// Feeling with the customer.
        Empathy = 10 "EMPATHY",
        /// Looking at what can be done.
        PositiveFocus = 11 "POSITIVE_FOCUS",
        /// Being patient.
        Patience = 12 "PATIENCE",
        /// Anything else.
        Custom = 13 "CUSTOM",
        /// Learning from each customer.
        LearnFromCustomer = 14 "LEARN_FROM_CUSTOMER",
    }
}

words! {
    /// How much a finding in a draft weighs.
    pub enum Severity {
        /// Worth a thought.
        Hint = 1 "HINT",
        /// Probably wrong.
        Warn = 2 "WARN",
        /// Must not be sent so.
        Block = 3 "BLOCK",
    }
}

words! {
    /// What a draft is checked for.
    pub enum DraftCheckKind {
        /// It has at most so many words.
        MaxWords = 1 "MAX_WORDS",
        /// It has none of these terms.
        ForbiddenTerms = 2 "FORBIDDEN_TERMS",
        /// It greets.
        NeedsGreeting = 3 "NEEDS_GREETING",
        /// It says what comes next.
        NeedsNextStep = 4 "NEEDS_NEXT_STEP",
        /// It touches nothing personal that the customer has not brought up.
        NoUninvitedPersonalTopic = 5 "NO_UNINVITED_PERSONAL_TOPIC",
        /// It criticises nothing that the customer uses.
        NoCriticismOfUsedProducts = 6 "NO_CRITICISM_OF_USED_PRODUCTS",
        /// It promises nothing without a commitment behind it.
        NoUnbackedPromise = 7 "NO_UNBACKED_PROMISE",
        /// It tells a deal whole: price, conditions and end.
        NeedsTerms = 8 "NEEDS_TERMS",
    }
}

/// How a draft is checked against a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DraftCheck {
    /// It has at most so many words.
    MaxWords(u32),
    /// It has none of these terms.
    ForbiddenTerms(Vec<String>),
    /// It greets.
    NeedsGreeting,
    /// It says what comes next.
    NeedsNextStep,
    /// It touches nothing personal that the customer has not brought up.
    NoUninvitedPersonalTopic,
    /// It criticises nothing that the customer uses.
    NoCriticismOfUsedProducts,
    /// It promises nothing without a commitment behind it.
    NoUnbackedPromise,
    /// It tells a deal whole.
    NeedsTerms,
}

impl DraftCheck {
    /// What is checked.
    pub const fn kind(&self) -> DraftCheckKind {
        match self {
            Self::MaxWords(_) => DraftCheckKind::MaxWords,
            Self::ForbiddenTerms(_) => DraftCheckKind::ForbiddenTerms,
            Self::NeedsGreeting => DraftCheckKind::NeedsGreeting,
            Self::NeedsNextStep => DraftCheckKind::NeedsNextStep,
            Self::NoUninvitedPersonalTopic => DraftCheckKind::NoUninvitedPersonalTopic,
            Self::NoCriticismOfUsedProducts => DraftCheckKind::NoCriticismOfUsedProducts,
            Self::NoUnbackedPromise => DraftCheckKind::NoUnbackedPromise,
            Self::NeedsTerms => DraftCheckKind::NeedsTerms,
        }
    }
}

/// One do or don't.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EtiquetteRule {
    /// Names it within its version of the manual.
    pub id: String,
    /// Whether it asks for something or warns of it.
    pub stance: RuleStance,
    /// What it is about.
    pub topic: RuleTopic,
    /// The rule in words.
    pub text: String,
    /// Where it applies.
    pub scope: Scope,
    /// How a draft is checked against it.
    pub check: Option<DraftCheck>,
    /// How much a finding of its check weighs.
    pub severity: Severity,
}
