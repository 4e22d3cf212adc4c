//! One declaration for an enum that is a word in the domain, in the database, in JSON and on the wire.

/// An enum whose values are words: the same text in the database and in JSON, and the same number
/// as the protobuf enum of that name (whose values carry the enum's name as a prefix).
pub trait Word: Copy + Eq + Sized + Send + Sync + 'static {
    /// The enum's name, as in the protos.
    const NAME: &'static str;
    /// Every value with its text and its number on the wire, in declaration order.
    const ALL: &'static [(Self, &'static str, i32)];

    /// The text of this value, for example `FACE_TO_FACE`.
    fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(value, _, _)| *value == self).map_or("", |(_, text, _)| text)
    }

    /// The number of this value on the wire.
    fn number(self) -> i32 {
        Self::ALL.iter().find(|(value, _, _)| *value == self).map_or(0, |(_, _, number)| *number)
    }

    /// The value with this text, if there is one.
    fn from_text(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known, _)| *known == text).map(|(value, _, _)| *value)
    }

    /// The value with this number on the wire; none for 0 (unspecified) and for unknown numbers.
    fn from_number(number: i32) -> Option<Self> {
        Self::ALL.iter().find(|(_, _, known)| *known == number).map(|(value, _, _)| *value)
    }
}

/// Declares an enum that is a [`Word`]: `words! { /// doc  pub enum Channel { /// doc Phone = 1 "PHONE", … } }`.
#[macro_export]
macro_rules! words {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$value_meta:meta])* $value:ident = $number:literal $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$value_meta])* $value),+ }

        impl $crate::words::Word for $name {
            const NAME: &'static str = stringify!($name);
            const ALL: &'static [(Self, &'static str, i32)] = &[$((Self::$value, $text, $number)),+];
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str($crate::words::Word::as_str(*self))
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::words::UnknownWord;
            fn from_str(text: &str) -> ::std::result::Result<Self, Self::Err> {
                <Self as $crate::words::Word>::from_text(text)
                    .ok_or_else(|| $crate::words::UnknownWord { of: stringify!($name), text: text.to_owned() })
            }
        }

        impl $crate::words::serde::Serialize for $name {
            fn serialize<S: $crate::words::serde::Serializer>(&self, serializer: S) -> ::std::result::Result<S::Ok, S::Error> {
                serializer.serialize_str($crate::words::Word::as_str(*self))
            }
        }

        impl<'de> $crate::words::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::words::serde::Deserializer<'de>>(deserializer: D) -> ::std::result::Result<Self, D::Error> {
                let text = <::std::string::String as $crate::words::serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err($crate::words::serde::de::Error::custom)
            }
        }
    };
}

#[doc(hidden)]
pub use serde;

/// A text that is no value of the enum that it was read as.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a value of {of}")]
pub struct UnknownWord {
    /// The enum's name.
    pub of: &'static str,
    /// The text that was found.
    pub text: String,
}
