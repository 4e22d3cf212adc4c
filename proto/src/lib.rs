//! The messages, clients and servers of the four services, generated from `proto/rapport`, and their descriptor.

/// Every package with its imports, comments and options, for reflection and for tests.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/file_descriptor_set.bin"));

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
