//! The interaction service as its callers see it: over gRPC, on both databases, with its peers played by the tests.

mod calendars;
mod commitments;
mod conclusions;
mod consumers;
mod customers;
mod drafts;
mod entries;
mod errors;
mod feed;
mod guidance;
mod house;
mod imports;
mod life;
mod lists;
mod logs;
mod manual;
mod peers;
mod promises;
mod reports;
mod rows_calls;
mod rows_flows;
mod rows_interactions;
mod service_levels;
mod situations;
mod staff;
mod walks;
