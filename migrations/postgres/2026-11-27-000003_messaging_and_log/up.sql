-- One-time values of messages (DPoP proofs, client assertions, events): the insert is the check.
CREATE TABLE used_once (
  kind       TEXT NOT NULL,
  scope      TEXT NOT NULL,
  jti        TEXT NOT NULL,
  expires_at BIGINT NOT NULL,
  PRIMARY KEY (kind, scope, jti)
);
CREATE INDEX used_once_expires ON used_once (expires_at);
-- Values that expired before this moment may have been forgotten: one that claims to is refused, whatever the clock says.
CREATE TABLE used_once_horizon (
  id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
  at BIGINT NOT NULL
);
INSERT INTO used_once_horizon (id, at) VALUES (1, 0);
CREATE TABLE outbox (
  seq          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id           BYTEA NOT NULL UNIQUE CHECK (octet_length(id) = 16),
  kind         TEXT NOT NULL,
  destination  TEXT NOT NULL,
  subject      TEXT NOT NULL, -- what it is about, to show its state
  order_key    TEXT NOT NULL, -- items of one key go out one after the other
  dedup_key    TEXT NOT NULL UNIQUE,
  payload      BYTEA NOT NULL, -- sealed
  attempts     BIGINT NOT NULL DEFAULT 0,
  next_at      BIGINT NOT NULL,
  place        BIGINT NOT NULL DEFAULT 0 CHECK (place BETWEEN 0 AND 4), -- 0 not known yet, 1 first of its key, 2 behind another, 3 settled, 4 settled now
  lease_owner  TEXT,
  lease_until  BIGINT NOT NULL DEFAULT 0,
  created_at   BIGINT NOT NULL,
  delivered_at BIGINT,
  given_up_at  BIGINT,
  last_error   TEXT
);
CREATE INDEX outbox_new ON outbox (seq) WHERE place = 0;
CREATE INDEX outbox_settled ON outbox (seq) WHERE place = 4;
CREATE INDEX outbox_first ON outbox (destination, next_at, seq) WHERE place = 1;
CREATE INDEX outbox_order ON outbox (order_key, seq) WHERE place < 3;
CREATE INDEX outbox_leased ON outbox (destination, lease_until) WHERE lease_until > 0;
CREATE INDEX outbox_subject ON outbox (subject, seq);
CREATE INDEX outbox_created ON outbox (created_at);
-- Destinations that did not answer last time.
CREATE TABLE outbox_peers (
  destination TEXT NOT NULL PRIMARY KEY,
  failures    BIGINT NOT NULL CHECK (failures > 0),
  not_before  BIGINT NOT NULL
);
CREATE TABLE received_events (
  issuer      TEXT NOT NULL,
  jti         TEXT NOT NULL,
  received_at BIGINT NOT NULL,
  PRIMARY KEY (issuer, jti)
);
CREATE INDEX received_events_at ON received_events (received_at);
-- The next index of the log; its only row is the lock under which entries are appended.
CREATE TABLE log_head (
  id       BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
  next_idx BIGINT NOT NULL CHECK (next_idx >= 0)
);
INSERT INTO log_head (id, next_idx) VALUES (1, 0);
CREATE TABLE log_entries (
  idx       BIGINT NOT NULL PRIMARY KEY CHECK (idx >= 0),
  leaf_hash TEXT NOT NULL CHECK (length(leaf_hash) = 43),
  entry     TEXT NOT NULL, -- JSON, without personal data
  at        BIGINT NOT NULL
);
CREATE FUNCTION log_entries_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'log_entries is append-only'; END $$;
CREATE TRIGGER log_entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON log_entries
  FOR EACH STATEMENT EXECUTE FUNCTION log_entries_append_only();
-- Exchanges that were refused under a consent of this node.
CREATE TABLE refusals (
  seq     BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at      BIGINT NOT NULL,
  code    TEXT NOT NULL, -- the error code of the standard
  reason  TEXT NOT NULL, -- the check that refused
  client  TEXT,
  consent BYTEA NOT NULL,
  dataset TEXT
);
CREATE INDEX refusals_consent ON refusals (consent, at, seq);
-- Answers that a register needed time for. Nothing was released.
CREATE TABLE deferrals (
  seq            BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at             BIGINT NOT NULL,
  consent        BYTEA NOT NULL,
  available_from BIGINT NOT NULL
);
CREATE INDEX deferrals_consent ON deferrals (consent, at, seq);
-- Refusals that concern no consent, of which strangers may cause any number: one row an hour for each kind.
CREATE TABLE refusal_counts (
  hour     BIGINT NOT NULL,   -- hours since 1970
  code     TEXT NOT NULL,
  reason   TEXT NOT NULL,
  client   TEXT NOT NULL,     -- empty where it was not verified
  dataset  TEXT NOT NULL,     -- empty where it is none of this node's
  refused  BIGINT NOT NULL CHECK (refused > 0),
  first_at BIGINT NOT NULL,
  last_at  BIGINT NOT NULL,
  PRIMARY KEY (hour, code, reason, client, dataset)
);
CREATE INDEX refusal_counts_last ON refusal_counts (last_at);
-- What the node does by itself. One process holds a job until its lease ends; `run` tells its holders apart.
CREATE TABLE jobs (
  name         TEXT NOT NULL PRIMARY KEY,
  due_at       BIGINT NOT NULL,
  lease_owner  TEXT,
  lease_until  BIGINT NOT NULL DEFAULT 0,
  run          BIGINT NOT NULL DEFAULT 0,
  last_done_at BIGINT,
  last_error   TEXT -- a stable word
);
