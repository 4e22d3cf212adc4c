//! Keeps the reasons of refusals: what the code gives is what the protos document, no more and no less.

use rapport_core::Refusal;

use crate::{
    descriptor,
    source::{self, Token},
};

/// The values of a package's `ErrorReason` without their prefix, sorted; all but the one that is never given.
fn documented(package: &str) -> Vec<String> {
    let name = format!("{package}.ErrorReason");
    let reasons =
        descriptor::pool().get_enum_by_name(&name).unwrap_or_else(|| panic!("{name} is missing: its reasons belong to errors.proto"));
    let names = reasons.values().filter(|value| value.number() != 0);
    let mut names: Vec<String> = names.map(|value| value.name().trim_start_matches("ERROR_REASON_").to_owned()).collect();
    names.sort();
    names
}

fn assert_documented(package: &str, mut given: Vec<String>) {
    given.sort();
    let documented = documented(package);
    let without_comment: Vec<&String> = given.iter().filter(|reason| !documented.contains(reason)).collect();
    let never_given: Vec<&String> = documented.iter().filter(|reason| !given.contains(reason)).collect();
    assert!(
        without_comment.is_empty() && never_given.is_empty() && given.len() == documented.len(),
        "\n{package}: given but not documented: {without_comment:?}; documented but never given: {never_given:?}\n\
         Say in errors.proto what each means and what to do about it, and keep REASONS of the service's `Refused` equal.\n"
    );
}

fn of<R: Refusal>() -> Vec<String> {
    R::REASONS.iter().map(|reason| (*reason).to_owned()).collect()
}

#[test]
fn every_reason_of_a_service_is_documented() {
    assert_documented("rapport.customer.v1", of::<rapport_customer::domain::refused::Refused>());
    assert_documented("rapport.interaction.v1", of::<rapport_interaction::domain::refused::Refused>());
    assert_documented("rapport.feedback.v1", of::<rapport_feedback::domain::refused::Refused>());
    assert_documented("rapport.newsletter.v1", of::<rapport_newsletter::domain::refused::Refused>());
}

#[test]
fn every_shared_reason_is_documented() {
    let tokens = source::tokens(&source::read("shared/server/src/status.rs"));
    let at = tokens.windows(2).position(|pair| pair[0].0.is("mod") && pair[1].0.is("reason"));
    let at = at.expect("shared/server/src/status.rs lists the shared reasons in `mod reason`");
    let listed = &tokens[at..source::block_end(&tokens, at)];
    let texts = listed.iter().filter_map(|(token, _)| match token {
        Token::Text(text) => Some(text.clone()),
        _ => None,
    });
    assert_documented("rapport.common.v1", texts.collect());
}
