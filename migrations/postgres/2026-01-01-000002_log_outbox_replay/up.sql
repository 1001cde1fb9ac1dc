-- One-time values of messages (DPoP proofs, client assertions, events): the insert is the check.
CREATE TABLE used_once (
  kind       TEXT   NOT NULL,
  scope      TEXT   NOT NULL,
  jti        TEXT   NOT NULL,
  expires_at BIGINT NOT NULL,
  PRIMARY KEY (kind, scope, jti)
);
CREATE INDEX used_once_expires ON used_once (expires_at);
CREATE TABLE outbox (
  seq          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id           BYTEA  NOT NULL UNIQUE CHECK (octet_length(id) = 16),
  kind         TEXT   NOT NULL,
  destination  TEXT   NOT NULL,
  subject      TEXT   NOT NULL,           -- what it is about, to show its state
  order_key    TEXT   NOT NULL,           -- items of one key go out one after the other
  dedup_key    TEXT   NOT NULL UNIQUE,
  payload      BYTEA  NOT NULL,           -- sealed
  attempts     BIGINT NOT NULL DEFAULT 0,
  next_at      BIGINT NOT NULL,
  lease_owner  TEXT,
  lease_until  BIGINT NOT NULL DEFAULT 0,
  created_at   BIGINT NOT NULL,
  delivered_at BIGINT,
  given_up_at  BIGINT,
  last_error   TEXT
);
CREATE INDEX outbox_due ON outbox (next_at) WHERE delivered_at IS NULL AND given_up_at IS NULL;
CREATE INDEX outbox_order ON outbox (order_key, seq) WHERE delivered_at IS NULL AND given_up_at IS NULL;
CREATE INDEX outbox_subject ON outbox (subject, seq);
CREATE TABLE received_events (
  issuer      TEXT   NOT NULL,
  jti         TEXT   NOT NULL,
  received_at BIGINT NOT NULL,
  PRIMARY KEY (issuer, jti)
);
-- The next index of the log; its only row is the lock under which entries are appended.
CREATE TABLE log_head (
  id       BIGINT PRIMARY KEY CHECK (id = 1),
  next_idx BIGINT NOT NULL CHECK (next_idx >= 0)
);
INSERT INTO log_head (id, next_idx) VALUES (1, 0);
CREATE TABLE log_entries (
  idx       BIGINT PRIMARY KEY CHECK (idx >= 0),
  leaf_hash TEXT   NOT NULL CHECK (length(leaf_hash) = 43),
  entry     TEXT   NOT NULL,              -- JSON, without personal data
  at        BIGINT NOT NULL
);
CREATE FUNCTION log_entries_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'log_entries is append-only'; END $$;
CREATE TRIGGER log_entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON log_entries
  FOR EACH STATEMENT EXECUTE FUNCTION log_entries_append_only();
CREATE TABLE refusals (
  seq     BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at      BIGINT NOT NULL,
  code    TEXT   NOT NULL,                -- the error code of the standard
  reason  TEXT   NOT NULL,                -- the check that refused, in the program's words
  client  TEXT,
  consent BYTEA,
  dataset TEXT
);
CREATE INDEX refusals_consent ON refusals (consent, seq);
CREATE INDEX refusals_at ON refusals (at);
CREATE TABLE anchor_pins (
  entity_id  TEXT   PRIMARY KEY,
  jwks       TEXT   NOT NULL,
  state      TEXT   NOT NULL CHECK (state IN ('pinned', 'withdrawn')),
  pinned_at  BIGINT NOT NULL,
  changed_at BIGINT NOT NULL
);
