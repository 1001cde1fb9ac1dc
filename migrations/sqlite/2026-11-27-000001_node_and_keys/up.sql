-- Whose database this is, and how often it was restored from a backup or copied.
CREATE TABLE node_identity (
  id          INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
  entity_id   TEXT,               -- set at the first start, never changed after it
  location    TEXT,               -- where the database is, by the system's own marks: a copy has others
  epoch       INTEGER NOT NULL,  -- milliseconds since 1970 when it was last restored or copied, else 0: part of `sequence`
  restored_at INTEGER            -- when that was found; empty again when all peers have been compared with
) STRICT;
INSERT INTO node_identity (id, epoch) VALUES (1, 0);
-- Root keys that this database was first used with: a known text under each, to notice a lost key file.
CREATE TABLE key_checks (
  name  TEXT NOT NULL PRIMARY KEY,
  value BLOB NOT NULL
) STRICT;
-- Numbers that are handed out one by one. `key_version` counts the changes of signing_keys.
CREATE TABLE counters (
  name       TEXT NOT NULL PRIMARY KEY,
  next_value INTEGER NOT NULL CHECK (next_value >= 0)
) STRICT;
INSERT INTO counters (name, next_value) VALUES ('status_index', 0), ('key_version', 0);
CREATE TABLE signing_keys (
  kid               TEXT NOT NULL PRIMARY KEY,
  purpose           TEXT NOT NULL CHECK (purpose IN ('federation', 'token', 'receipt', 'client', 'dpop',
                      'login_signing', 'login_rsa_decryption', 'login_ec_decryption')),
  state             TEXT NOT NULL CHECK (state IN ('pending', 'active', 'retired', 'revoked')),
  private_jwk       BLOB,           -- sealed; destroyed when the key is revoked
  public_jwk        TEXT NOT NULL,
  created_at        INTEGER NOT NULL, -- all times: microseconds since 1970, UTC
  activates_at      INTEGER,      -- when a pending key begins to sign, set by the process that publishes it
  activated_at      INTEGER,
  retired_at        INTEGER,
  revoked_at        INTEGER,
  revoke_reason     TEXT CHECK (revoke_reason IN ('compromised', 'superseded')),
  compromised_since INTEGER,      -- from when on somebody else may have signed with it
  CHECK ((state = 'revoked') = (revoked_at IS NOT NULL)),
  CHECK ((state = 'revoked') = (revoke_reason IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX signing_keys_one_active ON signing_keys (purpose) WHERE state = 'active';
CREATE UNIQUE INDEX signing_keys_one_pending ON signing_keys (purpose) WHERE state = 'pending';
