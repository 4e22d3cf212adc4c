//! The customer service as its callers see it: over gRPC, on both databases.

mod consent;
mod customers;
mod feed;
mod import;
mod risk;
mod running;
