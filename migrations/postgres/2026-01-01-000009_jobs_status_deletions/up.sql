-- Status lists as signed last: every process of the node serves the same text.
CREATE TABLE status_lists (
  number     BIGINT NOT NULL PRIMARY KEY CHECK (number >= 0),
  changes    BIGINT NOT NULL DEFAULT 0,     -- counts the changes of its entries
  token      TEXT,                        -- as signed last
  of_changes BIGINT,                        -- the count that the token shows
  kid        TEXT,
  signed_at  BIGINT,
  CHECK ((token IS NULL) = (of_changes IS NULL)),
  CHECK ((token IS NULL) = (kid IS NULL)),
  CHECK ((token IS NULL) = (signed_at IS NULL))
);
CREATE INDEX consents_not_valid ON consents (status_index) WHERE state <> 'active';
CREATE INDEX consents_commitment ON consents (commitment);
-- What the node does by itself. One process holds a job until its lease ends; `run` tells its holders apart.
CREATE TABLE jobs (
  name         TEXT   NOT NULL PRIMARY KEY,
  due_at       BIGINT NOT NULL,
  lease_owner  TEXT,
  lease_until  BIGINT NOT NULL DEFAULT 0,
  run          BIGINT NOT NULL DEFAULT 0,
  last_done_at BIGINT,
  last_error   TEXT                       -- a stable word
);
-- Destinations that did not answer last time.
CREATE TABLE outbox_peers (
  destination TEXT   NOT NULL PRIMARY KEY,
  failures    BIGINT NOT NULL CHECK (failures > 0),
  not_before  BIGINT NOT NULL
);
CREATE INDEX outbox_destination ON outbox (destination) WHERE delivered_at IS NULL AND given_up_at IS NULL;
-- At the recipient: what was fetched and must be deleted in time.
CREATE TABLE deletions (
  held         BYTEA   NOT NULL PRIMARY KEY REFERENCES held_consents (id),
  fetched_at   BIGINT NOT NULL,             -- the last fetch that brought data
  due_at       BIGINT NOT NULL,
  confirmed_at BIGINT,                      -- when the service confirmed; empty again after a later fetch
  deleted_at   BIGINT,                      -- when the data was deleted, as the service says
  CHECK ((confirmed_at IS NULL) = (deleted_at IS NULL))
);
CREATE INDEX deletions_due ON deletions (due_at) WHERE confirmed_at IS NULL;
-- At the holder: what recipients confirmed, with their signature.
CREATE TABLE deletion_confirmations (
  consent     BYTEA   NOT NULL REFERENCES consents (id),
  jti         TEXT   NOT NULL,
  deleted_at  BIGINT NOT NULL,
  received_at BIGINT NOT NULL,
  event       TEXT   NOT NULL,
  PRIMARY KEY (consent, jti)
);
-- Reminders before an end, and the erasure of what need not be known any longer.
ALTER TABLE consents ADD COLUMN reminded_at BIGINT;
ALTER TABLE consents ADD COLUMN erased_at BIGINT;
ALTER TABLE held_consents ADD COLUMN erased_at BIGINT;
