//! All that an exchange has to know of the store, in one statement.

use diesel::dsl::exists;
use diesel::pg::data_types::PgTimestamp;
use diesel::prelude::*;
use diesel::sqlite::Sqlite;

use super::{DecisionBasis, Row};
use crate::domain::catalogue::DeclaredUse;
use crate::domain::clock::Timestamp;
use crate::domain::consent::{Consent, ShownUse};
use crate::domain::ids::{GrantId, NationalIdentifier};
use crate::domain::token::VerifiedProof;
use crate::store::engine::columns::from_json;
use crate::store::engine::db::Db;
use crate::store::engine::schema::{consent_requests, consents, node_identity, persons, used_once};
use crate::store::engine::sealed::{KeyedHash, column};
use crate::store::used_once::Kind;
use crate::store::{Reader, StoreError};

diesel::define_sql_function! {
    /// The database server's time, which goes on within a transaction.
    fn clock_timestamp() -> diesel::sql_types::Timestamptz;
}

/// The consent of a grant as an exchange finds it.
pub(crate) struct ForExchange {
    pub(crate) consent: Consent,
    pub(crate) subject: NationalIdentifier,
    pub(crate) basis: DecisionBasis,
    /// What the resident was shown.
    pub(crate) shown: ShownUse,
    /// As [`super::is_held_back`].
    pub(crate) held_back: bool,
    /// Whether the proof has been used before. Only the transaction that uses it up decides.
    pub(crate) replayed: bool,
    /// The database server's time; `None` on SQLite, which has no clock of its own.
    pub(crate) shared_time: Option<Timestamp>,
}

#[derive(Queryable)]
struct Found {
    consent: Row,
    identifier: Vec<u8>,
    identifier_now: KeyedHash,
    identifier_then: Option<KeyedHash>,
    passkey: Option<String>,
    compared: i64,
    declared_use: String,
    epoch: Option<i64>,
    replayed: bool,
}

/// The consent of a grant (`grant_id`) and whether this proof was used.
///
/// # Errors
/// [`StoreError::NotFound`] when no consent has the grant.
pub(crate) fn for_exchange(
    reader: &mut Reader<'_>,
    grant: &GrantId,
    proof: &VerifiedProof,
) -> Result<ForExchange, StoreError> {
    let of_grant = consents::table
        .inner_join(persons::table.on(persons::id.eq(consents::person)))
        .inner_join(consent_requests::table.on(consent_requests::id.eq(consents::request)))
        .filter(consents::grant_id.eq(grant).and(consents::superseded_at.is_null()));
    let same_proof = used_once::table.filter(
        used_once::kind
            .eq(Kind::DpopProof)
            .and(used_once::scope.eq(proof.jkt().as_str()))
            .and(used_once::jti.eq(proof.jti())),
    );
    let columns = (
        <Row as Selectable<Sqlite>>::construct_selection(),
        persons::identifier,
        persons::identifier_hash,
        consents::identifier_hash,
        consents::passkey,
        consents::epoch,
        consent_requests::declared_use,
        node_identity::table.select(node_identity::epoch).single_value(),
        exists(same_proof),
    );
    // Each connection keeps the statement by its type, as it does not over the two databases' common connection.
    let (found, shared_time) = match &mut *reader.db {
        Db::Sqlite(connection) => (of_grant.select(columns).get_result::<Found>(connection)?, None),
        Db::Postgres(connection) => {
            let (found, time): (Found, PgTimestamp) =
                of_grant.select((columns, clock_timestamp())).get_result(connection)?;
            (found, Some(since_1970(time)))
        }
    };
    found.into_known(reader, shared_time)
}

impl Found {
    fn into_known(
        self,
        reader: &Reader<'_>,
        shared_time: Option<Timestamp>,
    ) -> Result<ForExchange, StoreError> {
        let consent = self.consent.into_consent()?;
        let identifier = reader.keys.sealer.open_text(
            column!(persons.identifier),
            consent.person.as_bytes(),
            &self.identifier,
        )?;
        let declared: DeclaredUse = from_json(&self.declared_use, "consent_requests.declared_use")?;
        Ok(ForExchange {
            subject: NationalIdentifier::new(&identifier)
                .map_err(|_| StoreError::Corrupt("persons.identifier"))?,
            basis: DecisionBasis {
                passkey: self.passkey.is_some(),
                identifier_changed: self.identifier_then.is_some_and(|then| then != self.identifier_now),
            },
            shown: ShownUse::of_declared(declared, &consent),
            held_back: self.compared < self.epoch.ok_or(StoreError::Corrupt("node_identity.epoch"))?,
            replayed: self.replayed,
            shared_time,
            consent,
        })
    }
}

/// PostgreSQL counts microseconds from 2000-01-01 00:00 UTC.
fn since_1970(PgTimestamp(micros): PgTimestamp) -> Timestamp {
    const EPOCH_SECS: i64 = 946_684_800;
    Timestamp::from_micros(micros).plus_secs(EPOCH_SECS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::engine::clock::agrees;
    use crate::store::engine::testing::{Kind, TestStore, at};

    #[tokio::test(flavor = "multi_thread")]
    async fn the_servers_time_is_read_as_the_time_that_it_is() {
        let Some(fixture) = TestStore::new(Kind::Postgres).await else { return };
        let (read, shared) = fixture
            .store
            .read("test", |reader| {
                let Db::Postgres(connection) = &mut *reader.db else { unreachable!() };
                let time: PgTimestamp = diesel::select(clock_timestamp()).get_result(connection)?;
                Ok::<_, StoreError>((since_1970(time), reader.shared_time(at(0))?))
            })
            .await
            .unwrap();
        assert!(agrees(read, shared) && !agrees(read, at(0)));
    }
}
