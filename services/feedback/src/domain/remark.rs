//! Remarks: single things that customers said, written down by any employee.

use rapport_core::{CustomerId, InteractionId, JourneyId, QuestionnaireId, RemarkId, Setting, Time, words};
use serde::{Deserialize, Serialize};

words! {
    /// What a remark is.
    pub enum RemarkKind {
        /// Something is good.
        Praise = 1 "PRAISE",
        /// Neither good nor bad.
        Comment = 2 "COMMENT",
        /// Something could be done better.
        Suggestion = 3 "SUGGESTION",
        /// Something worries the customer.
        Concern = 4 "CONCERN",
        /// Something went wrong.
        Grievance = 5 "GRIEVANCE",
        /// Something the customer would like to know.
        Question = 6 "QUESTION",
        /// A public review.
        Review = 7 "REVIEW",
    }
}
words! {
    /// Where a remark was made.
    pub enum RemarkOccasion {
        /// In a casual talk.
        CasualTalk = 1 "CASUAL_TALK",
        /// At an occasion of the company.
        CompanyOccasion = 2 "COMPANY_OCCASION",
        /// On a visit.
        Visit = 3 "VISIT",
        /// On the telephone.
        Call = 4 "CALL",
        /// In the street.
        Street = 5 "STREET",
        /// On a site of reviews.
        ReviewSite = 6 "REVIEW_SITE",
        /// On a social network.
        SocialPost = 7 "SOCIAL_POST",
        /// In a reply to a newsletter.
        NewsletterReply = 8 "NEWSLETTER_REPLY",
        /// In a mail.
        Mail = 9 "MAIL",
    }
}

/// One thing that a customer said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remark {
    /// Its id.
    pub id: RemarkId,
    /// Who said it.
    pub customer: CustomerId,
    /// In which interaction.
    pub interaction: Option<InteractionId>,
    /// The customer's own words.
    pub verbatim: String,
    /// What it is.
    pub kind: RemarkKind,
    /// Where it was made.
    pub occasion: RemarkOccasion,
    /// Whether the talk was formal.
    pub setting: Option<Setting>,
    /// The conversation guide that was followed.
    pub guide: Option<QuestionnaireId>,
    /// The question of the guide that it answers.
    pub question: Option<String>,
    /// Who heard it.
    pub heard_by: String,
    /// When it was said.
    pub say_time: Time,
    /// When it was written down.
    pub create_time: Time,
    /// The stars of a review.
    pub stars: Option<i32>,
    /// Where it can be read.
    pub source: String,
    /// The journey.
    pub journey: Option<JourneyId>,
    /// Who wrote it down; empty for remarks of before this was kept.
    #[serde(default)]
    pub recorded_by: String,
}
