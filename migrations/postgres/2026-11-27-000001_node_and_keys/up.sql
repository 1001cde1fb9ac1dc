-- Whose database this is, and how often it was restored from a backup or copied.
CREATE TABLE node_identity (
  id          BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
  entity_id   TEXT,               -- set at the first start, never changed after it
  location    TEXT,               -- where the database is, by the system's own marks: a copy has others
  epoch       BIGINT NOT NULL,  -- milliseconds since 1970 when it was last restored or copied, else 0: part of `sequence`
  restored_at BIGINT            -- when that was found; empty again when all peers have been compared with
);
INSERT INTO node_identity (id, epoch) VALUES (1, 0);
-- Root keys that this database was first used with: a known text under each, to notice a lost key file.
CREATE TABLE key_checks (
  name  TEXT NOT NULL PRIMARY KEY,
  value BYTEA NOT NULL
);
-- Numbers that are handed out one by one. `key_version` counts the changes of signing_keys.
CREATE TABLE counters (
  name       TEXT NOT NULL PRIMARY KEY,
  next_value BIGINT NOT NULL CHECK (next_value >= 0)
);
INSERT INTO counters (name, next_value) VALUES ('status_index', 0), ('key_version', 0);
CREATE TABLE signing_keys (
  kid               TEXT NOT NULL PRIMARY KEY,
  purpose           TEXT NOT NULL CHECK (purpose IN ('federation', 'token', 'receipt', 'client', 'dpop',
                      'login_signing', 'login_rsa_decryption', 'login_ec_decryption')),
  state             TEXT NOT NULL CHECK (state IN ('pending', 'active', 'retired', 'revoked')),
  private_jwk       BYTEA,           -- sealed; destroyed when the key is revoked
  public_jwk        TEXT NOT NULL,
  created_at        BIGINT NOT NULL, -- all times: microseconds since 1970, UTC
  activates_at      BIGINT,      -- when a pending key begins to sign, set by the process that publishes it
  activated_at      BIGINT,
  retired_at        BIGINT,
  revoked_at        BIGINT,
  revoke_reason     TEXT CHECK (revoke_reason IN ('compromised', 'superseded')),
  compromised_since BIGINT,      -- from when on somebody else may have signed with it
  CHECK ((state = 'revoked') = (revoked_at IS NOT NULL)),
  CHECK ((state = 'revoked') = (revoke_reason IS NOT NULL))
);
CREATE UNIQUE INDEX signing_keys_one_active ON signing_keys (purpose) WHERE state = 'active';
CREATE UNIQUE INDEX signing_keys_one_pending ON signing_keys (purpose) WHERE state = 'pending';
