//! The messages, clients and servers of the four services, generated from `proto/rapport`, and their descriptor.

/// Every package with its imports, comments and options, for reflection and for tests.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/file_descriptor_set.bin"));

/// A span of time as the wire has it, in the type of the standard library; none for one that is negative or not normal.
/// Unlike `TryFrom`, it does not panic at the ends of the range.
pub fn span(duration: &prost_types::Duration) -> Option<std::time::Duration> {
    let nanos = u32::try_from(duration.nanos).ok().filter(|nanos| *nanos < 1_000_000_000)?;
    Some(std::time::Duration::new(u64::try_from(duration.seconds).ok()?, nanos))
}

pub mod json;

/// Declares the module of one package.
macro_rules! package {
    ($(#[$doc:meta])* $name:ident, $package:literal) => {
        $(#[$doc])*
        pub mod $name {
            /// The first version of the API.
            #[allow(clippy::all, clippy::allow_attributes_without_reason, missing_docs, rustdoc::all, reason = "generated code")]
            pub mod v1 {
                tonic::include_proto!($package);
            }
        }
    };
}

package!(
    /// The vocabulary and the parts of feeds and errors that all services share.
    common, "rapport.common.v1"
);
package!(
    /// The customer service.
    customer, "rapport.customer.v1"
);
package!(
    /// The interaction service.
    interaction, "rapport.interaction.v1"
);
package!(
    /// The feedback service.
    feedback, "rapport.feedback.v1"
);
package!(
    /// The newsletter service.
    newsletter, "rapport.newsletter.v1"
);

#[cfg(test)]
mod tests {
    use crate::{common::v1 as common, customer::v1 as pb};

    #[test]
    fn a_span_is_read_at_every_end_of_its_range() {
        let span = |seconds, nanos| crate::span(&prost_types::Duration { seconds, nanos });
        assert_eq!(span(1, 500_000_000), Some(std::time::Duration::from_millis(1_500)));
        for (seconds, nanos) in [(i64::MIN, 0), (i64::MIN, i32::MIN), (-1, 0), (0, -1), (i64::MAX, i32::MAX)] {
            assert_eq!(span(seconds, nanos), None);
        }
    }

    #[test]
    fn what_is_printed_of_a_message_has_no_personal_data() {
        let customer = pb::Customer { customer_id: "0190".to_owned(), display_name: "Ada Lovelace".to_owned(), ..Default::default() };
        let request = pb::CreateCustomerRequest { customer: Some(customer), ..Default::default() };
        let printed = format!("{request:?}");
        assert!(printed.contains("0190"), "ids help to find what is meant: {printed}");
        assert!(!printed.contains("Lovelace"), "names are hidden: {printed}");
        let start = common::WatchStart { at: Some(common::watch_start::At::Latest(true)) };
        assert!(format!("{start:?}").contains("Latest(true)"));
    }
}
