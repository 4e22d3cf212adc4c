//! The words that all four services share, numbered as in `rapport.common.v1`.

use crate::words;

words! {
    /// The way by which a customer and the organisation meet.
    pub enum Channel {
        /// By telephone.
        Phone = 1 "PHONE",
        /// By mail.
        Email = 2 "EMAIL",
        /// By live chat.
        Chat = 3 "CHAT",
        /// In person, at a place of ours or theirs.
        FaceToFace = 4 "FACE_TO_FACE",
        /// On a social network.
        Social = 5 "SOCIAL",
        /// By a form on a web page.
        WebForm = 6 "WEB_FORM",
        /// At an event.
        Event = 7 "EVENT",
        /// In the street.
        Street = 8 "STREET",
        /// By a sign in a place.
        Signage = 9 "SIGNAGE",
        /// In print.
        Print = 10 "PRINT",
        /// On the radio.
        Radio = 11 "RADIO",
        /// On television.
        Television = 12 "TELEVISION",
        /// By an advertisement online.
        OnlineAd = 13 "ONLINE_AD",
        /// By a newsletter.
        Newsletter = 14 "NEWSLETTER",
        /// By letter.
        Letter = 15 "LETTER",
        /// By text message.
        Sms = 16 "SMS",
        /// By video call.
        Video = 17 "VIDEO",
        /// On a site of reviews.
        ReviewSite = 18 "REVIEW_SITE",
        /// By a program.
        Api = 19 "API",
    }
}
words! {
    /// Who turned to whom.
    pub enum Direction {
        /// The customer turned to us.
        Inbound = 1 "INBOUND",
        /// We turned to the customer.
        Outbound = 2 "OUTBOUND",
    }
}
words! {
    /// By the book, or personal.
    pub enum Setting {
        /// By the manual: established, trained, consistent.
        Formal = 1 "FORMAL",
        /// Personal contact, small talk, the street.
        Informal = 2 "INFORMAL",
    }
}
words! {
    /// Where on the journey around a purchase.
    pub enum Phase {
        /// Before a purchase.
        PreSale = 1 "PRE_SALE",
        /// At a purchase.
        Purchase = 2 "PURCHASE",
        /// After a purchase.
        AfterSale = 3 "AFTER_SALE",
    }
}
words! {
    /// The function of the business that meets the customer.
    pub enum BusinessFunction {
        /// Customer service.
        CustomerService = 1 "CUSTOMER_SERVICE",
        /// Marketing.
        Marketing = 2 "MARKETING",
        /// Sales.
        Sales = 3 "SALES",
    }
}
words! {
    /// The four kinds of interaction.
    pub enum InteractionKind {
        /// Agreed or routine.
        Expected = 1 "EXPECTED",
        /// Not agreed, but seen coming.
        Predictable = 2 "PREDICTABLE",
        /// Cannot be planned.
        Unpredictable = 3 "UNPREDICTABLE",
        /// Damages the reputation if it is ignored.
        Unwanted = 4 "UNWANTED",
    }
}
words! {
    /// The five stages of one interaction.
    pub enum Stage {
        /// The greeting.
        Greeting = 1 "GREETING",
        /// Finding out what the customer needs.
        Understanding = 2 "UNDERSTANDING",
        /// Agreeing on what will be done.
        Agreeing = 3 "AGREEING",
        /// Doing it.
        Delivering = 4 "DELIVERING",
        /// Closing, with a next step.
        Closing = 5 "CLOSING",
    }
}
words! {
    /// The five types of customer.
    pub enum CustomerType {
        /// Has not bought yet.
        Potential = 1 "POTENTIAL",
        /// Has just bought for the first time.
        New = 2 "NEW",
        /// Decides at once.
        Impulsive = 3 "IMPULSIVE",
        /// Comes for the deal.
        Discount = 4 "DISCOUNT",
        /// Comes back, and recommends us.
        Loyal = 5 "LOYAL",
    }
}
words! {
    /// What a contact is for; consent is given by purpose.
    pub enum ContactPurpose {
        /// Serving an order or request of the customer's own.
        Service = 1 "SERVICE",
        /// Newsletters.
        Newsletters = 2 "NEWSLETTERS",
        /// Other marketing.
        MarketingContact = 3 "MARKETING_CONTACT",
        /// Selling to this customer in particular.
        SalesContact = 4 "SALES_CONTACT",
        /// Asking for feedback.
        Survey = 5 "SURVEY",
    }
}
words! {
    /// Whether a person or a machine answered.
    pub enum Responder {
        /// A person.
        Human = 1 "HUMAN",
        /// A machine.
        Automated = 2 "AUTOMATED",
    }
}
words! {
    /// How likely a customer is to have a bad experience.
    pub enum RiskLevel {
        /// No reason for concern.
        Healthy = 1 "HEALTHY",
        /// Worth watching.
        Watch = 2 "WATCH",
        /// At risk.
        AtRisk = 3 "AT_RISK",
        /// Act now.
        Critical = 4 "CRITICAL",
    }
}
