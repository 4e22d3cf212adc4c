//! Where something applies: one match for rules, sections, texts, call flows and policies, the most specific first, and explained.

use std::{
    borrow::Cow,
    cmp::{Ordering, Reverse},
};

use rapport_core::{BusinessFunction, Channel, CustomerType, InteractionKind, Language, Phase, Setting, Stage, words::Word};
use serde::{Deserialize, Serialize};

use super::{Interaction, Purpose};

/// Where something applies. An empty list means any.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Scope {
    /// By the book or personal.
    pub settings: Vec<Setting>,
    /// The channels.
    pub channels: Vec<Channel>,
    /// The stages of the interaction.
    pub stages: Vec<Stage>,
    /// The types of customer, one of which the customer must have.
    pub customer_types: Vec<CustomerType>,
    /// The purposes.
    pub purposes: Vec<Purpose>,
    /// The kinds of interaction.
    pub kinds: Vec<InteractionKind>,
    /// The functions of the business.
    pub functions: Vec<BusinessFunction>,
    /// The phases around a purchase.
    pub phases: Vec<Phase>,
    /// The languages.
    pub locales: Vec<Language>,
}

/// What is known of the moment that something is to be found for. What is not known matches no scope that asks for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Situation {
    /// By the book or personal.
    pub setting: Option<Setting>,
    /// The channel.
    pub channel: Option<Channel>,
    /// The stage of the interaction.
    pub stage: Option<Stage>,
    /// The types of the customer.
    pub customer_types: Vec<CustomerType>,
    /// Why the two meet.
    pub purpose: Option<Purpose>,
    /// Which of the four kinds.
    pub kind: Option<InteractionKind>,
    /// The function of the business.
    pub function: Option<BusinessFunction>,
    /// Where around a purchase.
    pub phase: Option<Phase>,
    /// The language of the customer.
    pub locale: Option<Language>,
}

impl Situation {
    /// The situation of an interaction with a customer of these types.
    pub fn of(interaction: &Interaction, customer_types: Vec<CustomerType>, locale: Option<Language>) -> Self {
        Self {
            setting: Some(interaction.setting),
            channel: Some(interaction.channel),
            stage: interaction.stage,
            customer_types,
            purpose: Some(interaction.purpose),
            kind: Some(interaction.kind),
            function: Some(interaction.function),
            phase: interaction.phase,
            locale,
        }
    }

    /// This situation, with what it does not say taken from another one.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let Self { setting, channel, stage, customer_types, purpose, kind, function, phase, locale } = other;
        Self {
            setting: self.setting.or(setting),
            channel: self.channel.or(channel),
            stage: self.stage.or(stage),
            customer_types: if self.customer_types.is_empty() { customer_types } else { self.customer_types },
            purpose: self.purpose.or(purpose),
            kind: self.kind.or(kind),
            function: self.function.or(function),
            phase: self.phase.or(phase),
            locale: self.locale.or(locale),
        }
    }
}

/// That a scope matches, how closely, and by what. The greater one is the more specific; two that are equal are equally specific.
#[derive(Clone, Debug)]
pub struct Match {
    dimensions: usize,
    weight: u16,
    narrowness: Reverse<usize>,
    by: Vec<(&'static str, Cow<'static, str>)>,
}

impl Ord for Match {
    fn cmp(&self, other: &Self) -> Ordering {
        let rank = |found: &Self| (found.dimensions, found.weight, found.narrowness);
        rank(self).cmp(&rank(other))
    }
}
impl PartialOrd for Match {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl PartialEq for Match {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Match {}

impl Match {
    /// The match of a scope that asks for nothing.
    const fn anywhere() -> Self {
        Self { dimensions: 0, weight: 0, narrowness: Reverse(0), by: Vec::new() }
    }

    /// How many dimensions the scope asks for.
    pub const fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// Which dimensions matched, in words: `customer type LOYAL, channel CHAT`, or `applies everywhere`.
    pub fn explain(&self) -> String {
        if self.by.is_empty() {
            return "applies everywhere".to_owned();
        }
        let parts: Vec<String> = self.by.iter().map(|(dimension, value)| format!("{dimension} {value}")).collect();
        parts.join(", ")
    }

    /// Takes one dimension into account; none when it does not match.
    fn word<W: Word>(self, dimension: &'static str, weight: u16, allowed: &[W], is: &[W]) -> Option<Self> {
        if allowed.is_empty() {
            return Some(self);
        }
        let found = is.iter().find(|value| allowed.contains(value))?;
        Some(self.with(dimension, weight, allowed.len(), Cow::Borrowed(found.as_str())))
    }

    fn with(mut self, dimension: &'static str, weight: u16, length: usize, value: Cow<'static, str>) -> Self {
        self.dimensions += 1;
        self.weight += weight;
        self.narrowness.0 += length;
        self.by.push((dimension, value));
        self
    }
}

impl Scope {
    /// Whether it matches this situation, and how closely.
    pub fn matches(&self, situation: &Situation) -> Option<Match> {
        let Self { settings, channels, stages, customer_types, purposes, kinds, functions, phases, locales } = self;
        let found = Match::anywhere()
            .word("customer type", 256, customer_types, &situation.customer_types)?
            .word("purpose", 128, purposes, situation.purpose.as_slice())?
            .word("kind", 64, kinds, situation.kind.as_slice())?
            .word("stage", 32, stages, situation.stage.as_slice())?
            .word("channel", 16, channels, situation.channel.as_slice())?
            .word("setting", 8, settings, situation.setting.as_slice())?
            .word("function", 4, functions, situation.function.as_slice())?
            .word("phase", 2, phases, situation.phase.as_slice())?;
        if locales.is_empty() {
            return Some(found);
        }
        let spoken = situation.locale.as_ref()?;
        let locale = locales.iter().find(|locale| covers(locale, spoken))?;
        Some(found.with("locale", 1, locales.len(), Cow::Owned(locale.to_string())))
    }

    /// Each reason why it can never match, and each value that it names twice.
    pub fn problems(&self) -> Vec<String> {
        let Self { settings, channels, stages, customer_types, purposes, kinds, functions, phases, locales } = self;
        let mut problems = Vec::new();
        twice(&mut problems, "settings", settings);
        twice(&mut problems, "channels", channels);
        twice(&mut problems, "stages", stages);
        twice(&mut problems, "customer_types", customer_types);
        twice(&mut problems, "purposes", purposes);
        twice(&mut problems, "kinds", kinds);
        twice(&mut problems, "functions", functions);
        twice(&mut problems, "phases", phases);
        twice(&mut problems, "locales", locales);
        if only(customer_types, &[CustomerType::Potential]) && only(phases, &[Phase::AfterSale]) {
            problems.push("can never match: a customer of the type POTENTIAL has not bought, so there is no phase AFTER_SALE".to_owned());
        }
        if only(purposes, &[Purpose::Onboarding]) && only(phases, &[Phase::PreSale]) {
            problems.push("can never match: the purpose ONBOARDING follows a purchase, so the phase is never PRE_SALE".to_owned());
        }
        if only(purposes, &[Purpose::Onboarding]) && only(customer_types, &[CustomerType::Potential]) {
            problems.push(
                "can never match: the purpose ONBOARDING follows a purchase, and a customer of the type POTENTIAL has not bought"
                    .to_owned(),
            );
        }
        if only(purposes, &[Purpose::NewsletterSignup]) && only(settings, &[Setting::Formal]) {
            problems.push("can never match: the purpose NEWSLETTER_SIGNUP is always INFORMAL".to_owned());
        }
        if only(purposes, &[Purpose::Complaint]) && only(kinds, &[InteractionKind::Expected]) {
            problems.push("can never match: the purpose COMPLAINT is never of the kind EXPECTED".to_owned());
        }
        problems
    }
}

/// Whether the list asks for something, and for nothing but these.
fn only<T: PartialEq>(list: &[T], these: &[T]) -> bool {
    !list.is_empty() && list.iter().all(|value| these.contains(value))
}

fn twice<T: PartialEq + ToString>(problems: &mut Vec<String>, list: &str, values: &[T]) {
    for (index, value) in values.iter().enumerate() {
        if values[..index].contains(value) {
            problems.push(format!("names {} twice in {list}", value.to_string()));
        }
    }
}

/// Whether a language tag stands for another: itself, or one that begins with it.
fn covers(locale: &Language, spoken: &Language) -> bool {
    let (locale, spoken) = (locale.as_str(), spoken.as_str());
    let Some(head) = spoken.get(..locale.len()) else { return false };
    head.eq_ignore_ascii_case(locale) && matches!(spoken.as_bytes().get(locale.len()), None | Some(b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn situation() -> Situation {
        Situation {
            setting: Some(Setting::Formal),
            channel: Some(Channel::Chat),
            stage: Some(Stage::Greeting),
            customer_types: vec![CustomerType::New, CustomerType::Discount],
            purpose: Some(Purpose::Sale),
            kind: Some(InteractionKind::Expected),
            function: Some(BusinessFunction::Sales),
            phase: None,
            locale: Some("pt-BR".parse().expect("a tag")),
        }
    }

    #[test]
    fn an_empty_scope_applies_everywhere() {
        let everywhere = Scope::default().matches(&Situation::default()).expect("it matches");
        assert_eq!((everywhere.dimensions(), everywhere.explain().as_str()), (0, "applies everywhere"));
    }

    #[test]
    fn every_dimension_that_is_asked_for_must_match() {
        let scope = Scope { channels: vec![Channel::Chat, Channel::Email], settings: vec![Setting::Formal], ..Scope::default() };
        assert_eq!(scope.matches(&situation()).expect("it matches").explain(), "channel CHAT, setting FORMAL");
        let elsewhere = Situation { setting: Some(Setting::Informal), ..situation() };
        assert_eq!(scope.matches(&elsewhere), None);
        let unknown = Scope { phases: vec![Phase::PreSale], ..Scope::default() };
        assert_eq!(unknown.matches(&situation()), None, "what is not known does not match");
    }

    #[test]
    fn one_of_the_types_of_the_customer_is_enough() {
        let scope = Scope { customer_types: vec![CustomerType::Discount], ..Scope::default() };
        assert_eq!(scope.matches(&situation()).expect("it matches").explain(), "customer type DISCOUNT");
    }

    #[test]
    fn a_language_stands_for_its_regions() {
        for (locale, matches) in [("pt", true), ("pt-BR", true), ("pt-PT", false), ("p1", false), ("en", false)] {
            let Ok(language) = locale.parse() else { continue };
            let scope = Scope { locales: vec![language], ..Scope::default() };
            assert_eq!(scope.matches(&situation()).is_some(), matches, "{locale}");
        }
        let region = Scope { locales: vec!["pt-BR".parse().expect("a tag")], ..Scope::default() };
        let language = Situation { locale: Some("pt".parse().expect("a tag")), ..situation() };
        assert_eq!(region.matches(&language), None);
    }

    #[test]
    fn the_most_specific_is_the_greatest() {
        let ascending = [
            Scope::default(),
            Scope { settings: vec![Setting::Formal], ..Scope::default() },
            Scope { channels: vec![Channel::Chat, Channel::Email], ..Scope::default() },
            Scope { channels: vec![Channel::Chat], ..Scope::default() },
            Scope { customer_types: vec![CustomerType::New, CustomerType::Loyal], ..Scope::default() },
            Scope { settings: vec![Setting::Formal], channels: vec![Channel::Chat], ..Scope::default() },
            Scope { customer_types: vec![CustomerType::New], stages: vec![Stage::Greeting], ..Scope::default() },
        ];
        let found: Vec<Match> = ascending.iter().map(|scope| scope.matches(&situation()).expect("it matches")).collect();
        assert!(found.is_sorted(), "{found:?}");
    }

    #[test]
    fn a_scope_that_can_never_match_says_each_reason() {
        assert!(Scope::default().problems().is_empty());
        let scope = Scope {
            customer_types: vec![CustomerType::Potential],
            phases: vec![Phase::AfterSale],
            purposes: vec![Purpose::Onboarding],
            channels: vec![Channel::Chat, Channel::Chat],
            ..Scope::default()
        };
        let problems = scope.problems();
        assert_eq!(problems.len(), 3, "{problems:?}");
        assert_eq!(problems[0], "names CHAT twice in channels");
        assert!(problems[1].contains("AFTER_SALE") && problems[2].contains("ONBOARDING"));
        let possible =
            Scope { customer_types: vec![CustomerType::Potential, CustomerType::New], phases: vec![Phase::AfterSale], ..Scope::default() };
        assert!(possible.problems().is_empty());
    }
}
