//! Column types of identifiers, times and states. A stored text that is no well-formed identifier does not load.

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql};
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::{BigInt, Binary, Text};

use super::error::StoreError;
use super::sealed::KeyedHash;
use crate::domain::catalogue::AssuranceRequirement;
use crate::domain::clock::Timestamp;
use crate::domain::ids::{
    ConsentId, DatasetId, DenialId, EntityId, ExchangeId, GrantId, HeldConsentId, HidingId, HidingReason,
    Jti, KeyId, ObjectionId, OutboxId, PairwiseSubject, PasskeyId, PersonId, ProcessingId, ReceiptId,
    ReportedUseId, RequestId, ServiceId, Thumbprint, UseId,
};

/// Makes a type usable in diesel expressions of one SQL type, also as an optional value.
macro_rules! expression {
    ($type:ty, $sql:ty) => {
        impl diesel::expression::AsExpression<$sql> for $type {
            type Expression = diesel::internal::derives::as_expression::Bound<$sql, Self>;
            fn as_expression(self) -> Self::Expression {
                diesel::internal::derives::as_expression::Bound::new(self)
            }
        }
        impl<'a> diesel::expression::AsExpression<$sql> for &'a $type {
            type Expression = diesel::internal::derives::as_expression::Bound<$sql, Self>;
            fn as_expression(self) -> Self::Expression {
                diesel::internal::derives::as_expression::Bound::new(self)
            }
        }
        impl diesel::expression::AsExpression<diesel::sql_types::Nullable<$sql>> for $type {
            type Expression =
                diesel::internal::derives::as_expression::Bound<diesel::sql_types::Nullable<$sql>, Self>;
            fn as_expression(self) -> Self::Expression {
                diesel::internal::derives::as_expression::Bound::new(self)
            }
        }
        impl<'a> diesel::expression::AsExpression<diesel::sql_types::Nullable<$sql>> for &'a $type {
            type Expression =
                diesel::internal::derives::as_expression::Bound<diesel::sql_types::Nullable<$sql>, Self>;
            fn as_expression(self) -> Self::Expression {
                diesel::internal::derives::as_expression::Bound::new(self)
            }
        }
        impl<DB: diesel::backend::Backend> diesel::serialize::ToSql<diesel::sql_types::Nullable<$sql>, DB>
            for $type
        where
            $type: diesel::serialize::ToSql<$sql, DB>,
        {
            fn to_sql<'b>(
                &'b self,
                out: &mut diesel::serialize::Output<'b, '_, DB>,
            ) -> diesel::serialize::Result {
                diesel::serialize::ToSql::<$sql, DB>::to_sql(self, out)
            }
        }
        impl<DB: diesel::backend::Backend, ST: diesel::sql_types::SingleValue>
            diesel::deserialize::Queryable<ST, DB> for $type
        where
            $type: diesel::deserialize::FromSql<ST, DB>,
        {
            type Row = Self;
            fn build(row: Self) -> diesel::deserialize::Result<Self> {
                Ok(row)
            }
        }
    };
}
pub(crate) use expression;

macro_rules! text_columns {
    ($($type:ty),* $(,)?) => {$(
        expression!($type, Text);
        impl<DB: Backend> ToSql<Text, DB> for $type
        where
            str: ToSql<Text, DB>,
        {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
                <str as ToSql<Text, DB>>::to_sql(self.as_str(), out)
            }
        }
        impl<DB: Backend> FromSql<Text, DB> for $type
        where
            String: FromSql<Text, DB>,
        {
            fn from_sql(bytes: DB::RawValue<'_>) -> deserialize::Result<Self> {
                Ok(<$type>::new(String::from_sql(bytes)?)?)
            }
        }
    )*};
}

macro_rules! binary_columns {
    ($($type:ty => $from:expr),* $(,)?) => {$(
        expression!($type, Binary);
        impl<DB: Backend> ToSql<Binary, DB> for $type
        where
            [u8]: ToSql<Binary, DB>,
        {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
                <[u8] as ToSql<Binary, DB>>::to_sql(self.as_bytes().as_slice(), out)
            }
        }
        impl<DB: Backend> FromSql<Binary, DB> for $type
        where
            Vec<u8>: FromSql<Binary, DB>,
        {
            fn from_sql(bytes: DB::RawValue<'_>) -> deserialize::Result<Self> {
                let bytes = Vec::<u8>::from_sql(bytes)?;
                let from: fn(&[u8]) -> deserialize::Result<Self> = $from;
                from(&bytes)
            }
        }
    )*};
}

/// A vocabulary ([`crate::domain::word_enum`]) as a text column.
macro_rules! word_column {
    ($type:ty) => {
        $crate::store::engine::columns::expression!($type, diesel::sql_types::Text);
        const _: () = {
            use diesel::{
                backend::Backend,
                deserialize::{self, FromSql},
                serialize::{self, Output, ToSql},
                sql_types::Text,
            };
            impl<DB: Backend> ToSql<Text, DB> for $type
            where
                str: ToSql<Text, DB>,
            {
                fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
                    <str as ToSql<Text, DB>>::to_sql(self.as_str(), out)
                }
            }
            impl<DB: Backend> FromSql<Text, DB> for $type
            where
                String: FromSql<Text, DB>,
            {
                fn from_sql(bytes: DB::RawValue<'_>) -> deserialize::Result<Self> {
                    Ok(String::from_sql(bytes)?.parse::<Self>()?)
                }
            }
        };
    };
}
pub(crate) use word_column;

text_columns!(
    EntityId,
    DatasetId,
    UseId,
    ServiceId,
    KeyId,
    Jti,
    GrantId,
    PairwiseSubject,
    Thumbprint,
    ProcessingId,
    HidingReason,
);

binary_columns!(
    ConsentId => |bytes| Ok(Self::try_from(bytes)?),
    RequestId => |bytes| Ok(Self::try_from(bytes)?),
    HeldConsentId => |bytes| Ok(Self::try_from(bytes)?),
    PersonId => |bytes| Ok(Self::try_from(bytes)?),
    ExchangeId => |bytes| Ok(Self::try_from(bytes)?),
    DenialId => |bytes| Ok(Self::try_from(bytes)?),
    ReceiptId => |bytes| Ok(Self::try_from(bytes)?),
    PasskeyId => |bytes| Ok(Self::try_from(bytes)?),
    OutboxId => |bytes| Ok(Self::try_from(bytes)?),
    ReportedUseId => |bytes| Ok(Self::try_from(bytes)?),
    HidingId => |bytes| Ok(Self::try_from(bytes)?),
    ObjectionId => |bytes| Ok(Self::try_from(bytes)?),
    KeyedHash => |bytes| Ok(KeyedHash::stored(bytes, "a keyed hash")?),
);

expression!(Timestamp, BigInt);
impl<DB: Backend> ToSql<BigInt, DB> for Timestamp
where
    i64: ToSql<BigInt, DB>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
        <i64 as ToSql<BigInt, DB>>::to_sql(self.as_ref(), out)
    }
}
impl<DB: Backend> FromSql<BigInt, DB> for Timestamp
where
    i64: FromSql<BigInt, DB>,
{
    fn from_sql(bytes: DB::RawValue<'_>) -> deserialize::Result<Self> {
        Ok(Self::from_micros(i64::from_sql(bytes)?))
    }
}

/// A value as JSON text for its column.
pub(crate) fn to_json<T: serde::Serialize>(value: &T, column: &'static str) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|_| StoreError::Rule(column))
}

/// A JSON text column as a value.
pub(crate) fn from_json<T: serde::de::DeserializeOwned>(
    text: &str,
    column: &'static str,
) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|_| StoreError::Corrupt(column))
}

/// The assurance requirement from its two columns.
pub(crate) fn demand(
    acr: Option<String>,
    max_age: Option<i64>,
    column: &'static str,
) -> Result<AssuranceRequirement, StoreError> {
    let max_age = max_age.map(u32::try_from).transpose().map_err(|_| StoreError::Corrupt(column))?;
    Ok(AssuranceRequirement { acr, max_age })
}
