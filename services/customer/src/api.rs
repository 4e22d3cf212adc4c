//! The RPCs: request to command, result to response.

mod agreement;
mod agreement_service;
mod connection;
mod connection_service;
mod consent;
mod consent_service;
mod customer;
mod customer_filter;
mod customer_service;
mod feed;
mod import;
mod rapport_note;
mod rapport_note_service;
mod risk;
mod risk_service;
mod segment;
mod segment_service;
mod timeline;
mod touch;
mod wire;

use rapport_core::{Role, World};
use rapport_db::Database;
use rapport_proto::customer::v1::{
    agreement_service_server::AgreementServiceServer, connection_service_server::ConnectionServiceServer,
    consent_service_server::ConsentServiceServer, customer_feed_service_server::CustomerFeedServiceServer,
    customer_service_server::CustomerServiceServer, rapport_service_server::RapportServiceServer, risk_service_server::RiskServiceServer,
    segment_service_server::SegmentServiceServer,
};
use tonic::service::Routes;

use crate::domain::Thresholds;

/// The role that each RPC needs.
pub const ROLES: &[(&str, Role)] = &[
    ("rapport.customer.v1.CustomerService/CreateCustomer", Role::Agent),
    ("rapport.customer.v1.CustomerService/ResolveCustomer", Role::Agent),
    ("rapport.customer.v1.CustomerService/GetCustomer", Role::Reader),
    ("rapport.customer.v1.CustomerService/ListCustomers", Role::Reader),
    ("rapport.customer.v1.CustomerService/UpdateCustomer", Role::Agent),
    ("rapport.customer.v1.CustomerService/AssignCustomerType", Role::Agent),
    ("rapport.customer.v1.CustomerService/ImportCustomers", Role::Batch),
    ("rapport.customer.v1.CustomerService/ListTimeline", Role::Reader),
    ("rapport.customer.v1.ConsentService/RecordConsent", Role::Agent),
    ("rapport.customer.v1.ConsentService/CheckConsent", Role::Reader),
    ("rapport.customer.v1.ConsentService/ListConsentRecords", Role::Reader),
    ("rapport.customer.v1.RiskService/GetRiskAssessment", Role::Reader),
    ("rapport.customer.v1.RiskService/ListAtRiskCustomers", Role::Reader),
    ("rapport.customer.v1.RapportService/RecordRapportNote", Role::Agent),
    ("rapport.customer.v1.RapportService/UpdateRapportNote", Role::Agent),
    ("rapport.customer.v1.RapportService/DeleteRapportNote", Role::Agent),
    ("rapport.customer.v1.RapportService/ListRapportNotes", Role::Reader),
    ("rapport.customer.v1.RapportService/SetTouchCadence", Role::Agent),
    ("rapport.customer.v1.RapportService/ListDueTouches", Role::Reader),
    ("rapport.customer.v1.AgreementService/CreateAgreement", Role::Agent),
    ("rapport.customer.v1.AgreementService/OfferAgreement", Role::Agent),
    ("rapport.customer.v1.AgreementService/AnswerAgreement", Role::Agent),
    ("rapport.customer.v1.AgreementService/CancelAgreement", Role::Agent),
    ("rapport.customer.v1.AgreementService/ListAgreements", Role::Reader),
    ("rapport.customer.v1.AgreementService/CheckEligibility", Role::Reader),
    ("rapport.customer.v1.ConnectionService/ChangeConnectionLevel", Role::Agent),
    ("rapport.customer.v1.ConnectionService/ListConnections", Role::Reader),
    ("rapport.customer.v1.SegmentService/CreateSegment", Role::Agent),
    ("rapport.customer.v1.SegmentService/GetSegment", Role::Reader),
    ("rapport.customer.v1.SegmentService/ListSegments", Role::Reader),
    ("rapport.customer.v1.SegmentService/UpdateSegment", Role::Agent),
    ("rapport.customer.v1.SegmentService/ArchiveSegment", Role::Agent),
    ("rapport.customer.v1.SegmentService/CountSegment", Role::Reader),
    ("rapport.customer.v1.SegmentService/MatchSegment", Role::Reader),
    ("rapport.customer.v1.SegmentService/StreamSegment", Role::Reader),
    ("rapport.customer.v1.CustomerFeedService/WatchEvents", Role::Reader),
];

/// A customer with fifty attributes of a thousand characters is larger than requests usually are.
const CUSTOMER_LIMIT: usize = 512 * 1024;

/// The largest requests of RPCs that take a whole customer.
pub const LIMITS: &[(&str, usize)] = &[
    ("rapport.customer.v1.CustomerService/CreateCustomer", CUSTOMER_LIMIT),
    ("rapport.customer.v1.CustomerService/ResolveCustomer", CUSTOMER_LIMIT),
    ("rapport.customer.v1.CustomerService/UpdateCustomer", CUSTOMER_LIMIT),
    ("rapport.customer.v1.CustomerService/ImportCustomers", CUSTOMER_LIMIT),
];

/// What every RPC works on.
#[derive(Clone, Debug)]
pub struct Api {
    database: Database,
    world: World,
    thresholds: Thresholds,
}

/// All RPCs of this service.
pub fn routes(database: Database, world: World, thresholds: Thresholds) -> Routes {
    let api = Api { database, world, thresholds };
    Routes::new(CustomerServiceServer::new(api.clone()))
        .add_service(ConsentServiceServer::new(api.clone()))
        .add_service(RiskServiceServer::new(api.clone()))
        .add_service(RapportServiceServer::new(api.clone()))
        .add_service(AgreementServiceServer::new(api.clone()))
        .add_service(ConnectionServiceServer::new(api.clone()))
        .add_service(SegmentServiceServer::new(api.clone()))
        .add_service(CustomerFeedServiceServer::new(api))
}
