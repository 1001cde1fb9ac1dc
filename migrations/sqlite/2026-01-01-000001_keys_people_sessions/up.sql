-- Root keys that this database was first used with: a known text under each, to notice a lost key file.
CREATE TABLE key_checks (
  name  TEXT  NOT NULL PRIMARY KEY,
  value BLOB  NOT NULL
) STRICT;
-- Numbers that are handed out one by one.
CREATE TABLE counters (
  name       TEXT   NOT NULL PRIMARY KEY,
  next_value INTEGER NOT NULL CHECK (next_value >= 0)
) STRICT;
INSERT INTO counters (name, next_value) VALUES ('status_index', 0);
CREATE TABLE signing_keys (
  kid           TEXT   NOT NULL PRIMARY KEY,
  purpose       TEXT   NOT NULL CHECK (purpose IN ('federation', 'token', 'receipt', 'client', 'dpop',
    'login_signing', 'login_rsa_decryption', 'login_ec_decryption')),
  state         TEXT   NOT NULL CHECK (state IN ('pending', 'active', 'retired', 'revoked')),
  private_jwk   BLOB,                     -- sealed; destroyed when the key is revoked
  public_jwk    TEXT   NOT NULL,
  created_at    INTEGER NOT NULL,          -- all times: microseconds since 1970, UTC
  activated_at  INTEGER,
  retired_at    INTEGER,
  revoked_at    INTEGER,
  revoke_reason TEXT   CHECK (revoke_reason IN ('compromised', 'superseded')),
  CHECK ((state = 'revoked') = (revoked_at IS NOT NULL)),
  CHECK ((state = 'revoked') = (revoke_reason IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX signing_keys_one_active ON signing_keys (purpose) WHERE state = 'active';
CREATE TABLE persons (
  id              BLOB   NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  issuer          TEXT   NOT NULL,
  subject_hash    BLOB   NOT NULL,        -- keyed hash of issuer and sub: a provider may use an identifier as sub
  identifier_hash BLOB   NOT NULL,        -- keyed hash
  identifier      BLOB   NOT NULL,        -- sealed
  first_login_at  INTEGER NOT NULL,
  last_login_at   INTEGER NOT NULL,
  UNIQUE (issuer, subject_hash)
) STRICT;
CREATE INDEX persons_identifier ON persons (identifier_hash);
CREATE TABLE sessions (
  key_hash   BLOB   NOT NULL PRIMARY KEY,          -- keyed hash of what the cookie holds
  state      BLOB   NOT NULL,             -- sealed
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,             -- moves with use
  ends_at    INTEGER NOT NULL              -- never moves
) STRICT;
CREATE INDEX sessions_expires ON sessions (expires_at);
