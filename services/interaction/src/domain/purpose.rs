//! Why customer and organisation meet, and what we want to reach.

use rapport_core::words;

words! {
    /// Why customer and organisation meet.
    pub enum Purpose {
        /// A question.
        Enquiry = 1 "ENQUIRY",
        /// Help with something the customer has.
        Support = 2 "SUPPORT",
        /// A complaint.
        Complaint = 3 "COMPLAINT",
        /// A review.
        Review = 4 "REVIEW",
        /// A sale.
        Sale = 5 "SALE",
        /// A further or better product.
        Upsell = 6 "UPSELL",
        /// Calling back.
        Callback = 7 "CALLBACK",
        /// Asking for or giving feedback.
        Feedback = 8 "FEEDBACK",
        /// An answer to an advertisement or a newsletter.
        CampaignResponse = 9 "CAMPAIGN_RESPONSE",
        /// Signing up for a newsletter.
        NewsletterSignup = 10 "NEWSLETTER_SIGNUP",
        /// Meeting at an event.
        EventEncounter = 11 "EVENT_ENCOUNTER",
        /// Telling of a change.
        ChangeNotice = 12 "CHANGE_NOTICE",
        /// An invoice or a payment.
        Billing = 13 "BILLING",
        /// Keeping in touch.
        Relationship = 14 "RELATIONSHIP",
        /// Helping a new customer to begin.
        Onboarding = 15 "ONBOARDING",
        /// Something else.
        Other = 16 "OTHER",
    }
}
words! {
    /// What we want to reach.
    pub enum Objective {
        /// Win a customer.
        Acquire = 1 "ACQUIRE",
        /// Lead to a purchase.
        Convert = 2 "CONVERT",
        /// Go the extra mile.
        Delight = 3 "DELIGHT",
    }
}
