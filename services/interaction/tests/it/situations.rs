//! Situations in which people of ours meet customers, with what the example manual is to say in each.

use rapport_core::{BusinessFunction, Channel, CustomerType, InteractionKind, Phase, Setting, Stage, words::Word};
use rapport_interaction::domain::Purpose;
use rapport_proto::interaction::v1 as pb;
use rapport_testkit::Backend;

use crate::house::House;

use Channel::{Chat, Email, Event, FaceToFace, Letter, Phone, ReviewSite, Sms, Social, Street, Video, WebForm};
use CustomerType::{Discount, Impulsive, Loyal, New, Potential};
use InteractionKind::{Expected, Predictable, Unpredictable, Unwanted};
use Purpose::{
    Billing, Callback, CampaignResponse, ChangeNotice, Complaint, Enquiry, EventEncounter, Feedback, Onboarding, Relationship, Review,
    Sale, Support, Upsell,
};
use Setting::{Formal, Informal};

/// A situation, and what is expected: parts of the lists by id (a `-` in front: not there), the whole playbook in its order, the setting.
struct Case {
    what: &'static str,
    situation: pb::Situation,
    dos: &'static [&'static str],
    donts: &'static [&'static str],
    sections: &'static [&'static str],
    playbook: &'static [&'static str],
    advised: Setting,
}

fn at(channel: Channel, purpose: Purpose, kind: InteractionKind) -> pb::Situation {
    pb::Situation { channel: channel.number(), purpose: purpose.number(), kind: kind.number(), ..pb::Situation::default() }
}

fn with(situation: pb::Situation, types: &[CustomerType]) -> pb::Situation {
    pb::Situation { customer_types: types.iter().map(|one| one.number()).collect(), ..situation }
}

fn case(what: &'static str, situation: pb::Situation, expected: [&'static [&'static str]; 4], advised: Setting) -> Case {
    let [dos, donts, sections, playbook] = expected;
    Case { what, situation, dos, donts, sections, playbook, advised }
}

const ALWAYS_DO: [&str; 8] =
    ["their-interest", "open-up", "ask-their-business", "hospitality", "empathy", "positive-focus", "patience", "learn"];
const NEVER_DO: [&str; 3] = ["not-too-much", "never-criticise", "no-personal"];

fn winning() -> Vec<Case> {
    let pre_sale = |situation| pb::Situation { phase: Phase::PreSale.number(), ..situation };
    vec![
        case(
            "somebody who has not bought asks by mail",
            with(pre_sale(at(Email, Enquiry, Expected)), &[Potential]),
            [
                &["be-polite"],
                &["no-abrupt-end"],
                &["product-enquiry", "company-enquiry", "material", "-policy-refund"],
                &["playbook-potential", "kind-expected"],
            ],
            Formal,
        ),
        case(
            "somebody who has not bought writes in a chat",
            with(at(Chat, Enquiry, Expected), &[Potential]),
            [&["chat-short", "-be-polite"], &["-no-abrupt-end"], &["product-enquiry", "-calls"], &["playbook-potential", "kind-expected"]],
            Formal,
        ),
        case(
            "a sale by mail",
            at(Email, Sale, Expected),
            [&["be-polite"], &[], &["selling", "policy-payment", "policy-shipping", "policy-terms"], &["kind-expected"]],
            Formal,
        ),
        case(
            "a sale on the telephone",
            at(Phone, Sale, Predictable),
            [&["-be-polite"], &[], &["calls", "selling"], &["kind-predictable"]],
            Formal,
        ),
        case(
            "one who decides at once",
            with(at(Chat, Sale, Expected), &[Impulsive]),
            [&["impulsive-short", "chat-short"], &[], &["selling"], &["playbook-impulsive", "kind-expected"]],
            Formal,
        ),
        case(
            "one who decides at once, by mail",
            with(at(Email, Sale, Expected), &[Impulsive]),
            [&["impulsive-short", "be-polite", "-chat-short"], &[], &[], &["playbook-impulsive", "kind-expected"]],
            Formal,
        ),
        case(
            "one who comes for the deal",
            with(at(Email, Sale, Expected), &[Discount]),
            [&["deal-whole"], &[], &["policy-perks"], &["playbook-discount", "kind-expected"]],
            Formal,
        ),
    ]
}

fn selling() -> Vec<Case> {
    vec![
        case(
            "one who answers a campaign for the deal",
            with(at(WebForm, CampaignResponse, Predictable), &[Discount]),
            [&["deal-whole"], &[], &["selling", "material"], &["playbook-discount", "kind-predictable"]],
            Formal,
        ),
        case(
            "one who has just bought",
            with(at(Email, Onboarding, Expected), &[New]),
            [&["be-polite"], &[], &["-selling"], &["playbook-new", "kind-expected"]],
            Formal,
        ),
        case(
            "one who has just bought for the deal",
            with(at(Phone, Onboarding, Expected), &[New, Discount]),
            [&["deal-whole"], &[], &["calls", "policy-perks"], &["playbook-new", "playbook-discount", "kind-expected"]],
            Formal,
        ),
        case(
            "a loyal one on the telephone",
            with(at(Phone, Relationship, Predictable), &[Loyal]),
            [&[], &[], &["calls", "company-enquiry", "policy-perks"], &["playbook-loyal", "kind-predictable"]],
            Informal,
        ),
        case(
            "a loyal one face to face",
            with(at(FaceToFace, Upsell, Expected), &[Loyal]),
            [&["-chat-short"], &[], &["selling", "policy-terms", "policy-perks"], &["playbook-loyal", "kind-expected"]],
            Informal,
        ),
        case(
            "a loyal one by mail",
            with(at(Email, Upsell, Expected), &[Loyal]),
            [&["be-polite"], &["no-abrupt-end"], &["selling"], &["playbook-loyal", "kind-expected"]],
            Formal,
        ),
        case(
            "a comment on a social advertisement",
            at(Social, CampaignResponse, Unpredictable),
            [&["chat-short"], &[], &["selling", "rude-customers"], &["kind-unpredictable"]],
            Informal,
        ),
        case(
            "small talk to keep in touch",
            at(Social, Relationship, Expected),
            [&["chat-short"], &[], &["company-enquiry"], &["kind-expected"]],
            Informal,
        ),
    ]
}

fn serving() -> Vec<Case> {
    let after_sale = |situation| pb::Situation { phase: Phase::AfterSale.number(), ..situation };
    vec![
        case(
            "a complaint by mail",
            after_sale(at(Email, Complaint, Unwanted)),
            [
                &["be-polite"],
                &["no-abrupt-end"],
                &["complaints", "policy-refund", "policy-return", "policy-exchange", "rude-customers", "misunderstandings", "-hard-cases"],
                &["kind-unwanted"],
            ],
            Formal,
        ),
        case(
            "a complaint in the street",
            at(Street, Complaint, Unwanted),
            [&[], &[], &["complaints", "-hard-cases"], &["kind-unwanted"]],
            Formal,
        ),
        case(
            "a loyal one complains on the telephone",
            with(after_sale(at(Phone, Complaint, Unwanted)), &[Loyal]),
            [&[], &[], &["calls", "complaints", "policy-perks"], &["playbook-loyal", "kind-unwanted"]],
            Formal,
        ),
        case(
            "a bad review",
            at(ReviewSite, Review, Unwanted),
            [&["-chat-short"], &[], &["complaints", "gathering-feedback", "evaluating-feedback"], &["kind-unwanted"]],
            Formal,
        ),
        case(
            "a good review",
            at(ReviewSite, Review, Predictable),
            [&[], &[], &["evaluating-feedback", "-rude-customers"], &["kind-predictable"]],
            Formal,
        ),
        case(
            "an invoice that is wrong",
            at(Email, Billing, Predictable),
            [&["be-polite"], &[], &["policy-payment", "-hard-cases"], &["kind-predictable"]],
            Formal,
        ),
        case(
            "help after the sale",
            after_sale(at(Chat, Support, Predictable)),
            [&["chat-short"], &[], &["product-enquiry", "policy-shipping", "policy-refund"], &["kind-predictable"]],
            Formal,
        ),
        case(
            "help for one who has just bought",
            with(after_sale(at(Video, Support, Expected)), &[New]),
            [&[], &[], &["calls", "product-enquiry"], &["playbook-new", "kind-expected"]],
            Formal,
        ),
    ]
}

fn hearing() -> Vec<Case> {
    let after_sale = |situation| pb::Situation { phase: Phase::AfterSale.number(), ..situation };
    let closing = |situation| pb::Situation { stage: Stage::Closing.number(), ..situation };
    vec![
        case(
            "an outage",
            at(Sms, Support, Unpredictable),
            [&["chat-short"], &[], &["rude-customers", "misunderstandings"], &["kind-unpredictable"]],
            Formal,
        ),
        case("calling back", at(Phone, Callback, Expected), [&[], &[], &["calls", "gathering-feedback"], &["kind-expected"]], Formal),
        case(
            "asking for feedback",
            after_sale(at(Email, Feedback, Expected)),
            [&["be-polite"], &[], &["gathering-feedback", "evaluating-feedback", "-complaints"], &["kind-expected"]],
            Formal,
        ),
        case(
            "telling of a change by letter",
            at(Letter, ChangeNotice, Expected),
            [&["be-polite"], &["no-abrupt-end"], &["changes", "-selling"], &["kind-expected"]],
            Formal,
        ),
        case(
            "meeting at a fair",
            at(Event, EventEncounter, Predictable),
            [&["-be-polite"], &[], &["company-enquiry", "material"], &["kind-predictable"]],
            Informal,
        ),
        case(
            "selling in the street",
            pb::Situation { function: BusinessFunction::Sales.number(), ..at(Street, Sale, Unpredictable) },
            [&[], &[], &["selling", "policy-payment"], &["kind-unpredictable"]],
            Informal,
        ),
        case(
            "selling in the street to one who decides at once",
            with(at(Street, Sale, Unpredictable), &[Impulsive]),
            [&["impulsive-short"], &[], &["selling"], &["playbook-impulsive", "kind-unpredictable"]],
            Informal,
        ),
        case(
            "closing a formal enquiry",
            closing(pb::Situation { setting: Setting::Formal.number(), ..at(WebForm, Enquiry, Expected) }),
            [&[], &[], &["goals", "greeting", "trust"], &["kind-expected"]],
            Formal,
        ),
        case(
            "a question of a loyal one who is in a hurry",
            with(at(Chat, Enquiry, Expected), &[Loyal, Impulsive]),
            [&["impulsive-short", "chat-short"], &[], &["policy-perks"], &["playbook-impulsive", "playbook-loyal", "kind-expected"]],
            Formal,
        ),
    ]
}

fn check(wrong: &mut Vec<String>, what: &str, list: &str, found: &[String], expected: &[&str]) {
    for id in expected {
        let (there, id) = id.strip_prefix('-').map_or((true, *id), |id| (false, id));
        if found.iter().any(|found| found == id) != there {
            wrong.push(format!("{what}: {list}: {id} is {}there, of {found:?}", if there { "not " } else { "" }));
        }
    }
}

#[tokio::test]
async fn row_65_the_example_manual_guides_in_each_situation() {
    let house = House::open(Backend::Sqlite).await;
    let cases: Vec<Case> = [winning(), selling(), serving(), hearing()].into_iter().flatten().collect();
    assert!(cases.len() >= 30, "{}", cases.len());
    let mut wrong = Vec::new();
    for Case { what, situation, dos, donts, sections, playbook, advised } in cases {
        let request = pb::GetGuidanceRequest { situation: Some(situation), ..pb::GetGuidanceRequest::default() };
        let response = house.guidance().get_guidance(request).await.expect("it is given").into_inner();
        let guidance = response.guidance.expect("it is answered");
        let rule = |applying: &pb::ApplyingRule| applying.rule.as_ref().map(|rule| rule.rule_id.clone()).unwrap_or_default();
        let section =
            |applying: &pb::ApplyingSection| applying.section.as_ref().map(|section| section.section_id.clone()).unwrap_or_default();
        let found_dos: Vec<String> = guidance.dos.iter().map(rule).collect();
        let found_donts: Vec<String> = guidance.donts.iter().map(rule).collect();
        let found_sections: Vec<String> = guidance.sections.iter().map(section).collect();
        let found_playbook: Vec<String> = guidance.playbook.iter().map(section).collect();
        check(&mut wrong, what, "dos", &found_dos, dos);
        check(&mut wrong, what, "dos", &found_dos, &ALWAYS_DO);
        check(&mut wrong, what, "donts", &found_donts, donts);
        check(&mut wrong, what, "donts", &found_donts, &NEVER_DO);
        check(&mut wrong, what, "sections", &found_sections, sections);
        if found_playbook != playbook {
            wrong.push(format!("{what}: playbook {found_playbook:?}, expected {playbook:?}"));
        }
        if guidance.advised_setting != advised.number() {
            wrong.push(format!("{what}: advised {:?} because {}", guidance.advised_setting(), guidance.advised_because));
        }
        if guidance.sections.iter().any(|applying| applying.section.as_ref().is_some_and(|section| section.confidential)) {
            wrong.push(format!("{what}: something confidential may be shared"));
        }
        let explained = guidance.dos.iter().map(|one| &one.because).chain(guidance.sections.iter().map(|one| &one.because));
        if explained.into_iter().any(String::is_empty) {
            wrong.push(format!("{what}: something is not explained"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
