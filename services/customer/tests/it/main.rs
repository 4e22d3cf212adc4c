//! The customer service as its callers see it: over gRPC, on both databases.

mod agreements;
mod connections;
mod consent;
mod customers;
mod feed;
mod import;
mod rapport;
mod risk;
mod running;
mod segments;
mod types;
