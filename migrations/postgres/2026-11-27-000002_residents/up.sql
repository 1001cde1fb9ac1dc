CREATE TABLE persons (
  id              BYTEA NOT NULL PRIMARY KEY CHECK (octet_length(id) = 16),
  issuer          TEXT NOT NULL,
  subject_hash    BYTEA NOT NULL, -- keyed hash of issuer and sub: a provider may use an identifier as sub
  identifier_hash BYTEA NOT NULL, -- keyed hash
  identifier      BYTEA NOT NULL, -- sealed
  first_login_at  BIGINT NOT NULL,
  last_login_at   BIGINT NOT NULL,
  idle_since      BIGINT NOT NULL, -- the last login, or later when something of the resident was still kept
  UNIQUE (issuer, subject_hash)
);
CREATE INDEX persons_identifier ON persons (identifier_hash);
CREATE INDEX persons_idle ON persons (idle_since) WHERE issuer <> 'erased';
CREATE TABLE passkeys (
  id              BYTEA NOT NULL PRIMARY KEY CHECK (octet_length(id) = 16),
  person          BYTEA NOT NULL REFERENCES persons (id),
  credential_hash BYTEA NOT NULL UNIQUE, -- SHA-256 of the credential's identifier
  credential      BYTEA NOT NULL,        -- sealed
  created_at      BIGINT NOT NULL,
  last_used_at    BIGINT
);
CREATE INDEX passkeys_person ON passkeys (person, created_at);
CREATE TABLE sessions (
  key_hash   BYTEA NOT NULL PRIMARY KEY, -- keyed hash of what the cookie holds
  state      BYTEA NOT NULL,             -- sealed
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,          -- moves with use
  ends_at    BIGINT NOT NULL           -- never moves
);
CREATE INDEX sessions_expires ON sessions (expires_at);
