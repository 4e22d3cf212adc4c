//! By the book or personal by default: the nature of the business decides, by its function and by the channel.

use rapport_core::{BusinessFunction, Channel, Setting, words::Word};
use serde::Deserialize;

/// What the settings of the service say, in one line: `sales/street = informal, */social = informal, marketing/* = informal`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct DefaultSettings(Vec<DefaultSetting>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct DefaultSetting {
    function: Option<BusinessFunction>,
    channel: Option<Channel>,
    setting: Setting,
}

impl DefaultSettings {
    /// The default for this function and channel: one that names both goes before one that names only the channel, and that one before
    /// one that names only the function. What is not known matches only `*`. Also says why, in words.
    pub fn find(&self, function: Option<BusinessFunction>, channel: Option<Channel>) -> Option<(Setting, String)> {
        let meets = |rule: &&DefaultSetting| {
            rule.function.is_none_or(|wanted| function == Some(wanted)) && rule.channel.is_none_or(|wanted| channel == Some(wanted))
        };
        let best = self.0.iter().filter(meets).max_by_key(|rule| (rule.channel.is_some(), rule.function.is_some()))?;
        Some((best.setting, best.because()))
    }
}

impl DefaultSetting {
    fn because(&self) -> String {
        match (self.function, self.channel) {
            (Some(function), Some(channel)) => format!("it is the default of {} by {}", function.as_str(), channel.as_str()),
            (Some(function), None) => format!("it is the default of {}", function.as_str()),
            (None, Some(channel)) => format!("it is the default by {}", channel.as_str()),
            (None, None) => "it is the default of the house".to_owned(),
        }
    }
}

impl TryFrom<String> for DefaultSettings {
    type Error = String;

    /// Says everything that is wrong.
    fn try_from(text: String) -> Result<Self, String> {
        let (mut rules, mut problems): (Vec<DefaultSetting>, Vec<String>) = (Vec::new(), Vec::new());
        for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            let Some(((function, channel), setting)) =
                entry.split_once('=').and_then(|(of, setting)| Some((of.split_once('/')?, setting.trim())))
            else {
                problems.push(format!("{entry:?} is not like \"sales/street = informal\""));
                continue;
            };
            let function = any_or(&mut problems, "function", function);
            let channel = any_or(&mut problems, "channel", channel);
            let setting = word(&mut problems, "setting", setting);
            let (Some(function), Some(channel), Some(setting)) = (function, channel, setting) else { continue };
            if rules.iter().any(|rule| rule.function == function && rule.channel == channel) {
                problems.push(format!("{entry:?} says again what an entry before it has said"));
            }
            rules.push(DefaultSetting { function, channel, setting });
        }
        if problems.is_empty() { Ok(Self(rules)) } else { Err(problems.join("; ")) }
    }
}

fn any_or<W: Word>(problems: &mut Vec<String>, what: &str, text: &str) -> Option<Option<W>> {
    if text.trim() == "*" { Some(None) } else { word(problems, what, text).map(Some) }
}

fn word<W: Word>(problems: &mut Vec<String>, what: &str, text: &str) -> Option<W> {
    let text = text.trim();
    let known = W::from_text(&text.to_uppercase().replace(['-', ' '], "_"));
    if known.is_none() {
        let words: Vec<&str> = W::ALL.iter().map(|(_, word, _)| *word).collect();
        problems.push(format!("{text:?} is no {what}: it is one of {}", words.join(", ")));
    }
    known
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<DefaultSettings, String> {
        text.to_owned().try_into()
    }

    #[test]
    fn the_closest_default_is_taken_and_says_why() {
        let defaults = read("*/* = formal, sales/* = informal, */chat = formal, sales/chat = informal").expect("it is right");
        let at = |function, channel| defaults.find(function, channel).map(|(setting, because)| format!("{} {because}", setting.as_str()));
        let (sales, service) = (Some(BusinessFunction::Sales), Some(BusinessFunction::CustomerService));
        assert_eq!(at(sales, Some(Channel::Chat)).as_deref(), Some("INFORMAL it is the default of SALES by CHAT"));
        assert_eq!(at(service, Some(Channel::Chat)).as_deref(), Some("FORMAL it is the default by CHAT"));
        assert_eq!(at(sales, None).as_deref(), Some("INFORMAL it is the default of SALES"));
        assert_eq!(at(None, None).as_deref(), Some("FORMAL it is the default of the house"));
        assert_eq!(read("").expect("none is right too").find(sales, None), None);
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let wrong =
            read("sales, gardening/pigeon = relaxed, sales/face to face = informal, SALES/FACE-TO-FACE = formal").expect_err("it is wrong");
        for part in
            ["\"sales\" is not like", "\"gardening\" is no function", "\"pigeon\" is no channel", "\"relaxed\" is no setting", "says again"]
        {
            assert!(wrong.contains(part), "{part}: {wrong}");
        }
    }
}
