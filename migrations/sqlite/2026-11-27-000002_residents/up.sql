CREATE TABLE persons (
  id              BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  issuer          TEXT NOT NULL,
  subject_hash    BLOB NOT NULL, -- keyed hash of issuer and sub: a provider may use an identifier as sub
  identifier_hash BLOB NOT NULL, -- keyed hash
  identifier      BLOB NOT NULL, -- sealed
  first_login_at  INTEGER NOT NULL,
  last_login_at   INTEGER NOT NULL,
  idle_since      INTEGER NOT NULL, -- the last login, or later when something of the resident was still kept
  UNIQUE (issuer, subject_hash)
) STRICT;
CREATE INDEX persons_identifier ON persons (identifier_hash);
CREATE INDEX persons_idle ON persons (idle_since) WHERE issuer <> 'erased';
CREATE TABLE passkeys (
  id              BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  person          BLOB NOT NULL REFERENCES persons (id),
  credential_hash BLOB NOT NULL UNIQUE, -- SHA-256 of the credential's identifier
  credential      BLOB NOT NULL,        -- sealed
  created_at      INTEGER NOT NULL,
  last_used_at    INTEGER
) STRICT;
CREATE INDEX passkeys_person ON passkeys (person, created_at);
CREATE TABLE sessions (
  key_hash   BLOB NOT NULL PRIMARY KEY, -- keyed hash of what the cookie holds
  state      BLOB NOT NULL,             -- sealed
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,          -- moves with use
  ends_at    INTEGER NOT NULL           -- never moves
) STRICT;
CREATE INDEX sessions_expires ON sessions (expires_at);
