//! What internal apps and batch jobs use to call the services: peers with deadlines and retries, resumable feeds, readable errors.

pub mod backoff;
pub mod deadline;
pub mod errors;
pub mod feed;
pub mod follow;
pub mod message;
mod method;
pub mod page;
mod peer;
mod retry;
mod settings;
mod transport;

pub use errors::Problem;
pub use feed::{CustomerFeed, Feed, FeedbackFeed, InteractionFeed, NewsletterFeed};
pub use follow::{Follow, follow};
pub use page::{PageOf, page_through};
pub use peer::{Peer, connect};
pub use settings::{PeerSettings, RetrySettings, Secret, Tls, UnreadableFile};
pub use transport::ConnectError;
