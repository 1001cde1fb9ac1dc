-- How strongly and freshly the one who asks wants the resident to be known, beyond what the dataset demands.
ALTER TABLE consent_requests ADD COLUMN asked_acr TEXT;
ALTER TABLE consent_requests ADD COLUMN asked_max_age INTEGER;
ALTER TABLE held_consents ADD COLUMN asked_acr TEXT;
ALTER TABLE held_consents ADD COLUMN asked_max_age INTEGER;
-- auth_time as the login provider stated it; the older column has the moment of the decision where it did not.
ALTER TABLE consents ADD COLUMN stated_auth_time INTEGER;
UPDATE consents SET stated_auth_time = auth_time;
-- Keyed hash of the signer's identifier at the decision: the same login may state another one later.
ALTER TABLE consents ADD COLUMN identifier_hash BLOB;
UPDATE consents SET identifier_hash = (SELECT identifier_hash FROM persons WHERE persons.id = consents.person);
-- Hash of the credential that signed the decision too.
ALTER TABLE consents ADD COLUMN passkey TEXT;
CREATE TABLE passkeys (
  id              BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  person          BLOB NOT NULL REFERENCES persons (id),
  credential_hash BLOB NOT NULL UNIQUE,   -- SHA-256 of the credential's identifier
  credential      BLOB NOT NULL,          -- sealed
  created_at      INTEGER NOT NULL,
  last_used_at    INTEGER
) STRICT;
CREATE INDEX passkeys_person ON passkeys (person, created_at);
