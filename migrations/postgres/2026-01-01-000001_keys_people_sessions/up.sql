-- Root keys that this database was first used with: a known text under each, to notice a lost key file.
CREATE TABLE key_checks (
  name  TEXT  PRIMARY KEY,
  value BYTEA NOT NULL
);
-- Numbers that are handed out one by one.
CREATE TABLE counters (
  name       TEXT   PRIMARY KEY,
  next_value BIGINT NOT NULL CHECK (next_value >= 0)
);
INSERT INTO counters (name, next_value) VALUES ('status_index', 0);
CREATE TABLE signing_keys (
  kid           TEXT   PRIMARY KEY,
  purpose       TEXT   NOT NULL CHECK (purpose IN ('federation', 'token', 'receipt', 'client', 'dpop',
    'login_signing', 'login_rsa_decryption', 'login_ec_decryption')),
  state         TEXT   NOT NULL CHECK (state IN ('pending', 'active', 'retired', 'revoked')),
  private_jwk   BYTEA,                    -- sealed; destroyed when the key is revoked
  public_jwk    TEXT   NOT NULL,
  created_at    BIGINT NOT NULL,          -- all times: microseconds since 1970, UTC
  activated_at  BIGINT,
  retired_at    BIGINT,
  revoked_at    BIGINT,
  revoke_reason TEXT   CHECK (revoke_reason IN ('compromised', 'superseded')),
  CHECK ((state = 'revoked') = (revoked_at IS NOT NULL)),
  CHECK ((state = 'revoked') = (revoke_reason IS NOT NULL))
);
CREATE UNIQUE INDEX signing_keys_one_active ON signing_keys (purpose) WHERE state = 'active';
CREATE TABLE persons (
  id              BYTEA  PRIMARY KEY CHECK (octet_length(id) = 16),
  issuer          TEXT   NOT NULL,
  subject_hash    BYTEA  NOT NULL,        -- keyed hash of issuer and sub: a provider may use an identifier as sub
  identifier_hash BYTEA  NOT NULL,        -- keyed hash
  identifier      BYTEA  NOT NULL,        -- sealed
  first_login_at  BIGINT NOT NULL,
  last_login_at   BIGINT NOT NULL,
  UNIQUE (issuer, subject_hash)
);
CREATE INDEX persons_identifier ON persons (identifier_hash);
CREATE TABLE sessions (
  key_hash   BYTEA  PRIMARY KEY,          -- keyed hash of what the cookie holds
  state      BYTEA  NOT NULL,             -- sealed
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,             -- moves with use
  ends_at    BIGINT NOT NULL              -- never moves
);
CREATE INDEX sessions_expires ON sessions (expires_at);
