-- One-time values of messages (DPoP proofs, client assertions, events): the insert is the check.
CREATE TABLE used_once (
  kind       TEXT   NOT NULL,
  scope      TEXT   NOT NULL,
  jti        TEXT   NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (kind, scope, jti)
) STRICT;
CREATE INDEX used_once_expires ON used_once (expires_at);
CREATE TABLE outbox (
  seq          INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
  id           BLOB   NOT NULL UNIQUE CHECK (length(id) = 16),
  kind         TEXT   NOT NULL,
  destination  TEXT   NOT NULL,
  subject      TEXT   NOT NULL,           -- what it is about, to show its state
  order_key    TEXT   NOT NULL,           -- items of one key go out one after the other
  dedup_key    TEXT   NOT NULL UNIQUE,
  payload      BLOB   NOT NULL,           -- sealed
  attempts     INTEGER NOT NULL DEFAULT 0,
  next_at      INTEGER NOT NULL,
  lease_owner  TEXT,
  lease_until  INTEGER NOT NULL DEFAULT 0,
  created_at   INTEGER NOT NULL,
  delivered_at INTEGER,
  given_up_at  INTEGER,
  last_error   TEXT
) STRICT;
CREATE INDEX outbox_due ON outbox (next_at) WHERE delivered_at IS NULL AND given_up_at IS NULL;
CREATE INDEX outbox_order ON outbox (order_key, seq) WHERE delivered_at IS NULL AND given_up_at IS NULL;
CREATE INDEX outbox_subject ON outbox (subject, seq);
CREATE TABLE received_events (
  issuer      TEXT   NOT NULL,
  jti         TEXT   NOT NULL,
  received_at INTEGER NOT NULL,
  PRIMARY KEY (issuer, jti)
) STRICT;
-- The next index of the log; its only row is the lock under which entries are appended.
CREATE TABLE log_head (
  id       INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
  next_idx INTEGER NOT NULL CHECK (next_idx >= 0)
) STRICT;
INSERT INTO log_head (id, next_idx) VALUES (1, 0);
CREATE TABLE log_entries (
  idx       INTEGER NOT NULL PRIMARY KEY CHECK (idx >= 0),
  leaf_hash TEXT   NOT NULL CHECK (length(leaf_hash) = 43),
  entry     TEXT   NOT NULL,              -- JSON, without personal data
  at        INTEGER NOT NULL
) STRICT;
CREATE TRIGGER log_entries_no_update BEFORE UPDATE ON log_entries
BEGIN SELECT RAISE(ABORT, 'log_entries is append-only'); END;
CREATE TRIGGER log_entries_no_delete BEFORE DELETE ON log_entries
BEGIN SELECT RAISE(ABORT, 'log_entries is append-only'); END;
CREATE TABLE refusals (
  seq     INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
  at      INTEGER NOT NULL,
  code    TEXT   NOT NULL,                -- the error code of the standard
  reason  TEXT   NOT NULL,                -- the check that refused, in the program's words
  client  TEXT,
  consent BLOB, 
  dataset TEXT
) STRICT;
CREATE INDEX refusals_consent ON refusals (consent, seq);
CREATE INDEX refusals_at ON refusals (at);
CREATE TABLE anchor_pins (
  entity_id  TEXT   NOT NULL PRIMARY KEY,
  jwks       TEXT   NOT NULL,
  state      TEXT   NOT NULL CHECK (state IN ('pinned', 'withdrawn')),
  pinned_at  INTEGER NOT NULL,
  changed_at INTEGER NOT NULL
) STRICT;
