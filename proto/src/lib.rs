//! The messages, clients and servers of the four services, generated from `proto/rapport`, and their descriptor.

/// Every package with its imports, comments and options, for reflection and for tests.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/file_descriptor_set.bin"));

/// Declares the module of one package.
macro_rules! package {
    ($(#[$doc:meta])* $name:ident, $package:literal) => {
        $(#[$doc])*
        pub mod $name {
            /// The first version of the API.
            #[allow(clippy::all, missing_docs, rustdoc::all, reason = "generated code")]
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
