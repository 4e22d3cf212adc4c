//! SQL types that are native on both databases, and how the shared values are read and written as them.
//! Here and not in `rapport-db`, because only a type's own crate may say so; behind the feature `sql`, which `rapport-db` turns on.

use std::io::Write;

use diesel::{
    deserialize::{self, FromSql},
    pg::{Pg, PgValue},
    query_builder::QueryId,
    serialize::{self, IsNull, Output, ToSql},
    sql_types::SqlType,
    sqlite::{Sqlite, SqliteValue},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{Id, Time};

/// A UUID: `uuid` on PostgreSQL, a blob of 16 octets on SQLite. Read as [`Id`].
#[derive(Clone, Copy, Debug, Default, QueryId, SqlType)]
#[diesel(postgres_type(oid = 2950, array_oid = 2951), sqlite_type(name = "Binary"))]
pub struct Uuid;

/// A point in time: `timestamptz` on PostgreSQL, an integer of microseconds on SQLite. Read as [`Time`].
#[derive(Clone, Copy, Debug, Default, QueryId, SqlType)]
#[diesel(postgres_type(oid = 1184, array_oid = 1185), sqlite_type(name = "Long"))]
pub struct Moment;

/// A word of a closed list: text on both. Read as an enum declared with `rapport_core::words!`
/// and made known by [`crate::word_columns!`].
#[derive(Clone, Copy, Debug, Default, QueryId, SqlType)]
#[diesel(postgres_type(oid = 25, array_oid = 1009), sqlite_type(name = "Text"))]
pub struct Word;

/// A nested value: `jsonb` on PostgreSQL, text on SQLite. Read as [`JsonValue`].
#[derive(Clone, Copy, Debug, Default, QueryId, SqlType)]
#[diesel(postgres_type(oid = 3802, array_oid = 3807), sqlite_type(name = "Text"))]
pub struct Json;

/// A nested value, stored as JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JsonValue<T>(pub T);

/// Implements for a type what Diesel's derives implement for one's own: bound by value and by reference, read from a row.
#[doc(hidden)]
#[macro_export]
macro_rules! column_value {
    ($value:ty, $sql:ty $(, $generic:ident: ($($bound:tt)*))?) => {
        impl<$($generic: $($bound)*)?> ::diesel::expression::AsExpression<$sql> for $value {
            type Expression = ::diesel::internal::derives::as_expression::Bound<$sql, Self>;
            fn as_expression(self) -> Self::Expression {
                ::diesel::internal::derives::as_expression::Bound::new(self)
            }
        }
        impl<'a $(, $generic: $($bound)*)?> ::diesel::expression::AsExpression<$sql> for &'a $value {
            type Expression = ::diesel::internal::derives::as_expression::Bound<$sql, Self>;
            fn as_expression(self) -> Self::Expression {
                ::diesel::internal::derives::as_expression::Bound::new(self)
            }
        }
        impl<$($generic: $($bound)*)?> ::diesel::expression::AsExpression<::diesel::sql_types::Nullable<$sql>> for $value {
            type Expression = ::diesel::internal::derives::as_expression::Bound<::diesel::sql_types::Nullable<$sql>, Self>;
            fn as_expression(self) -> Self::Expression {
                ::diesel::internal::derives::as_expression::Bound::new(self)
            }
        }
        impl<'a $(, $generic: $($bound)*)?> ::diesel::expression::AsExpression<::diesel::sql_types::Nullable<$sql>> for &'a $value {
            type Expression = ::diesel::internal::derives::as_expression::Bound<::diesel::sql_types::Nullable<$sql>, Self>;
            fn as_expression(self) -> Self::Expression {
                ::diesel::internal::derives::as_expression::Bound::new(self)
            }
        }
        impl<DB: ::diesel::backend::Backend $(, $generic: $($bound)*)?> ::diesel::serialize::ToSql<::diesel::sql_types::Nullable<$sql>, DB> for $value
        where
            Self: ::diesel::serialize::ToSql<$sql, DB>,
        {
            fn to_sql<'b>(&'b self, out: &mut ::diesel::serialize::Output<'b, '_, DB>) -> ::diesel::serialize::Result {
                ::diesel::serialize::ToSql::<$sql, DB>::to_sql(self, out)
            }
        }
        impl<DB: ::diesel::backend::Backend $(, $generic: $($bound)*)?> ::diesel::deserialize::Queryable<$sql, DB> for $value
        where
            Self: ::diesel::deserialize::FromSql<$sql, DB>,
        {
            type Row = Self;
            fn build(row: Self) -> ::diesel::deserialize::Result<Self> {
                Ok(row)
            }
        }
    };
}

column_value!(Id<K>, Uuid, K: ('static));
column_value!(Time, Moment);
column_value!(JsonValue<T>, Json, T: (std::fmt::Debug + 'static));

/// Makes enums declared with `rapport_core::words!` readable and writable as [`Word`] columns.
#[macro_export]
macro_rules! word_columns {
    ($($word:ty),+ $(,)?) => { $(
        $crate::column_value!($word, $crate::sql::Word);
        impl ::diesel::deserialize::FromSql<$crate::sql::Word, ::diesel::pg::Pg> for $word {
            fn from_sql(value: ::diesel::pg::PgValue<'_>) -> ::diesel::deserialize::Result<Self> {
                $crate::sql::word_from_text(::std::str::from_utf8(value.as_bytes())?)
            }
        }
        impl ::diesel::deserialize::FromSql<$crate::sql::Word, ::diesel::sqlite::Sqlite> for $word {
            fn from_sql(mut value: ::diesel::sqlite::SqliteValue<'_, '_, '_>) -> ::diesel::deserialize::Result<Self> {
                $crate::sql::word_from_text(value.read_text())
            }
        }
        impl ::diesel::serialize::ToSql<$crate::sql::Word, ::diesel::pg::Pg> for $word {
            fn to_sql<'b>(&'b self, out: &mut ::diesel::serialize::Output<'b, '_, ::diesel::pg::Pg>) -> ::diesel::serialize::Result {
                ::std::io::Write::write_all(out, $crate::words::Word::as_str(*self).as_bytes())?;
                Ok(::diesel::serialize::IsNull::No)
            }
        }
        impl ::diesel::serialize::ToSql<$crate::sql::Word, ::diesel::sqlite::Sqlite> for $word {
            fn to_sql<'b>(&'b self, out: &mut ::diesel::serialize::Output<'b, '_, ::diesel::sqlite::Sqlite>) -> ::diesel::serialize::Result {
                out.set_value($crate::words::Word::as_str(*self));
                Ok(::diesel::serialize::IsNull::No)
            }
        }
    )+ };
}

/// Reads a word; a text that is none means that the row was written by something else.
#[doc(hidden)]
pub fn word_from_text<W: crate::words::Word>(text: &str) -> deserialize::Result<W> {
    W::from_text(text).ok_or_else(|| format!("{text:?} is not a value of {}", W::NAME).into())
}

word_columns!(
    crate::ActorKind,
    crate::BusinessFunction,
    crate::Channel,
    crate::ContactPurpose,
    crate::CustomerType,
    crate::Direction,
    crate::InteractionKind,
    crate::Phase,
    crate::Responder,
    crate::RiskLevel,
    crate::Setting,
    crate::Stage,
);

impl<K> FromSql<Uuid, Pg> for Id<K> {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        Ok(Self::from_uuid(uuid::Uuid::from_slice(value.as_bytes())?))
    }
}
impl<K> FromSql<Uuid, Sqlite> for Id<K> {
    fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        Ok(Self::from_uuid(uuid::Uuid::from_slice(value.read_blob())?))
    }
}
impl<K> ToSql<Uuid, Pg> for Id<K> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(self.uuid().as_bytes())?;
        Ok(IsNull::No)
    }
}
impl<K> ToSql<Uuid, Sqlite> for Id<K> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.uuid().as_bytes().to_vec());
        Ok(IsNull::No)
    }
}

/// Microseconds from 1970-01-01 to 2000-01-01, where PostgreSQL counts from.
const POSTGRES_EPOCH: i64 = 946_684_800_000_000;

impl FromSql<Moment, Pg> for Time {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let micros = i64::from_be_bytes(value.as_bytes().try_into()?);
        Ok(Self::from_micros(micros.saturating_add(POSTGRES_EPOCH)))
    }
}
impl FromSql<Moment, Sqlite> for Time {
    fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        Ok(Self::from_micros(value.read_long()))
    }
}
impl ToSql<Moment, Pg> for Time {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(&self.micros().saturating_sub(POSTGRES_EPOCH).to_be_bytes())?;
        Ok(IsNull::No)
    }
}
impl ToSql<Moment, Sqlite> for Time {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.micros());
        Ok(IsNull::No)
    }
}

/// The version octet in front of `jsonb` in PostgreSQL's binary format.
const JSONB_VERSION: u8 = 1;

impl<T: DeserializeOwned> FromSql<Json, Pg> for JsonValue<T> {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        match value.as_bytes() {
            [JSONB_VERSION, text @ ..] => Ok(Self(serde_json::from_slice(text)?)),
            _ => Err("an unknown version of jsonb".into()),
        }
    }
}
impl<T: DeserializeOwned> FromSql<Json, Sqlite> for JsonValue<T> {
    fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        Ok(Self(serde_json::from_str(value.read_text())?))
    }
}
impl<T: Serialize + std::fmt::Debug> ToSql<Json, Pg> for JsonValue<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(&[JSONB_VERSION])?;
        serde_json::to_writer(out, &self.0)?;
        Ok(IsNull::No)
    }
}
impl<T: Serialize + std::fmt::Debug> ToSql<Json, Sqlite> for JsonValue<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(serde_json::to_string(&self.0)?);
        Ok(IsNull::No)
    }
}
