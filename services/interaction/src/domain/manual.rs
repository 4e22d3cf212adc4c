//! The customer service manual: written as a draft, in force once it is published, never changed from then on.

use std::time::Duration;

use data_encoding::HEXLOWER;
use rapport_core::{Context, Language, ManualVersionId, Time, words};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{EtiquetteRule, Refused, Scope};

mod problems;

pub use problems::problems;

words! {
    /// Where a version of the manual stands.
    pub enum ManualState {
        /// Being written.
        Draft = 1 "DRAFT",
        /// In force.
        Published = 2 "PUBLISHED",
        /// Replaced by a later one.
        Retired = 3 "RETIRED",
    }
}

words! {
    /// What a section is about; the first eleven are what a manual must have.
    pub enum ManualElement {
        /// The goals of the service and its standards.
        GoalsAndStandards = 1 "GOALS_AND_STANDARDS",
        /// The manner of greeting.
        GreetingManner = 2 "GREETING_MANNER",
        /// How approved material is presented.
        PresentingMaterial = 3 "PRESENTING_MATERIAL",
        /// How enquiries about products are answered.
        ProductEnquiry = 4 "PRODUCT_ENQUIRY",
        /// How enquiries about the company are answered.
        CompanyEnquiry = 5 "COMPANY_ENQUIRY",
        /// How calls are handled.
        CallHandling = 6 "CALL_HANDLING",
        /// Selling, and selling more.
        SellingAndUpselling = 7 "SELLING_AND_UPSELLING",
        /// How customers are told of changes.
        ChangeUpdates = 8 "CHANGE_UPDATES",
        /// How complaints are handled.
        ComplaintHandling = 9 "COMPLAINT_HANDLING",
        /// How feedback is gathered.
        GatheringFeedback = 10 "GATHERING_FEEDBACK",
        /// How feedback is evaluated.
        EvaluatingFeedback = 11 "EVALUATING_FEEDBACK",
        /// A policy of the organisation.
        Policy = 12 "POLICY",
        /// Anything else.
        Custom = 13 "CUSTOM",
        /// How a type of customer, or a kind of interaction, is met.
        Playbook = 14 "PLAYBOOK",
    }
}

words! {
    /// What a policy is about.
    pub enum PolicyKind {
        /// Modes and means of payment.
        Payment = 1 "PAYMENT",
        /// Shipping and delivery.
        ShippingAndDelivery = 2 "SHIPPING_AND_DELIVERY",
        /// Terms and conditions.
        Terms = 3 "TERMS",
        /// Giving money back.
        Refund = 4 "REFUND",
        /// Taking goods back.
        Return = 5 "RETURN",
        /// Exchanging goods.
        Exchange = 6 "EXCHANGE",
        /// Cancelling an order or a contract.
        Cancellation = 7 "CANCELLATION",
        /// Freebies and perks.
        Perks = 8 "PERKS",
    }
}

impl ManualElement {
    /// The eleven that a manual must have, in their order.
    pub const REQUIRED: [Self; 11] = [
        Self::GoalsAndStandards,
        Self::GreetingManner,
        Self::PresentingMaterial,
        Self::ProductEnquiry,
        Self::CompanyEnquiry,
        Self::CallHandling,
        Self::SellingAndUpselling,
        Self::ChangeUpdates,
        Self::ComplaintHandling,
        Self::GatheringFeedback,
        Self::EvaluatingFeedback,
    ];
}

/// What may be shown or given to a customer once it is approved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Material {
    /// Its title.
    pub title: String,
    /// Where it is.
    pub uri: String,
    /// Who approved it; empty as long as nobody has.
    pub approved_by: String,
}

/// One section.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ManualSection {
    /// Names it within its version.
    pub id: String,
    /// What it is about.
    pub element: ManualElement,
    /// Which policy, for one.
    pub policy_kind: Option<PolicyKind>,
    /// Its title.
    pub title: String,
    /// Its text in Markdown.
    pub body: String,
    /// Where it applies.
    pub scope: Scope,
    /// Whether it is for our people only.
    pub confidential: bool,
    /// Material that goes with it.
    pub materials: Vec<Material>,
}

/// One course.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Course {
    /// Names it, from version to version.
    pub id: String,
    /// Its title.
    pub title: String,
    /// The sections that it teaches.
    pub sections: Vec<String>,
    /// The score to pass.
    pub pass_score: i32,
    /// How long a passed course counts; for ever without.
    pub valid_for: Option<Duration>,
    /// Whether nobody is endorsed without it.
    pub required: bool,
    /// Raised by its author when it must be taken again.
    pub edition: i32,
}

impl Course {
    /// What must be the same for a passed course to count: it changes with the edition, the sections and the score to pass.
    pub fn mark(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(format!("{}\n{}\n{}\n", self.id, self.edition, self.pass_score));
        for section in &self.sections {
            hash.update(section);
            hash.update("\n");
        }
        HEXLOWER.encode(&hash.finalize()[..8])
    }
}

/// What a version says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Contents {
    /// The sections.
    pub sections: Vec<ManualSection>,
    /// The dos and don'ts.
    pub rules: Vec<EtiquetteRule>,
    /// The courses.
    pub courses: Vec<Course>,
}

impl Contents {
    /// The courses without which nobody is endorsed.
    pub fn required_courses(&self) -> impl Iterator<Item = &Course> {
        self.courses.iter().filter(|course| course.required)
    }
}

/// What a caller says about a version; what is none stays as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ManualEdit {
    /// Its title.
    pub title: Option<String>,
    /// Its language.
    pub locale: Option<Language>,
    /// The sections.
    pub sections: Option<Vec<ManualSection>>,
    /// The dos and don'ts.
    pub rules: Option<Vec<EtiquetteRule>>,
    /// The courses.
    pub courses: Option<Vec<Course>>,
}

/// One version of the manual. Lists leave its contents out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ManualVersion {
    /// Its id.
    pub id: ManualVersionId,
    /// The version of its row.
    pub version: i64,
    /// Counts the published versions; 0 for a draft.
    pub number: i32,
    /// Its title.
    pub title: String,
    /// The language that it is written in.
    pub locale: Language,
    /// Where it stands.
    pub state: ManualState,
    /// The version that it was copied from.
    pub base: Option<ManualVersionId>,
    /// Who published it.
    pub published_by: Option<String>,
    /// What it says.
    pub contents: Contents,
    /// When it was created.
    pub create_time: Time,
    /// When it was last changed.
    pub update_time: Time,
    /// When it was published.
    pub publish_time: Option<Time>,
    /// When it was retired.
    pub retire_time: Option<Time>,
}

impl ManualVersion {
    /// A draft, empty but for its title.
    pub fn draft(id: ManualVersionId, title: String, locale: Language, now: Time) -> Self {
        Self {
            id,
            version: 1,
            number: 0,
            title,
            locale,
            state: ManualState::Draft,
            base: None,
            published_by: None,
            contents: Contents::default(),
            create_time: now,
            update_time: now,
            publish_time: None,
            retire_time: None,
        }
    }

    /// A draft that says what this version says.
    pub fn copy(&self, id: ManualVersionId, now: Time) -> Self {
        Self { base: Some(self.id), contents: self.contents.clone(), ..Self::draft(id, self.title.clone(), self.locale.clone(), now) }
    }

    /// Changes a draft.
    ///
    /// # Errors
    /// When it is no draft any more.
    pub fn edit(mut self, edit: ManualEdit, now: Time) -> Result<Self, Refused> {
        self.must_be_draft()?;
        let ManualEdit { title, locale, sections, rules, courses } = edit;
        self.title = title.unwrap_or(self.title);
        self.locale = locale.unwrap_or(self.locale);
        self.contents = Contents {
            sections: sections.unwrap_or(self.contents.sections),
            rules: rules.unwrap_or(self.contents.rules),
            courses: courses.unwrap_or(self.contents.courses),
        };
        self.update_time = now;
        Ok(self)
    }

    /// Puts a draft in force as the version with this number.
    ///
    /// # Errors
    /// When it is no draft any more, or every problem that it has.
    pub fn publish(mut self, number: i32, cx: &Context) -> Result<Self, Refused> {
        self.must_be_draft()?;
        let conditions = problems(&self.contents);
        if !conditions.is_empty() {
            return Err(Refused::ManualIncomplete { id: self.id, conditions });
        }
        self.state = ManualState::Published;
        self.number = number;
        self.published_by = Some(cx.caller.name.to_string());
        self.publish_time = Some(cx.now);
        self.update_time = cx.now;
        Ok(self)
    }

    /// Takes it out of force.
    pub fn retire(mut self, now: Time) -> Self {
        self.state = ManualState::Retired;
        self.retire_time = Some(now);
        self.update_time = now;
        self
    }

    fn must_be_draft(&self) -> Result<(), Refused> {
        match self.state {
            ManualState::Draft => Ok(()),
            state => Err(Refused::ManualNotDraft { id: self.id, state }),
        }
    }
}
