-- Status lists as signed last: every process of the node serves the same text.
CREATE TABLE status_lists (
  number     INTEGER NOT NULL PRIMARY KEY CHECK (number >= 0),
  changes    INTEGER NOT NULL DEFAULT 0,     -- counts the changes of its entries
  token      TEXT,                        -- as signed last
  of_changes INTEGER,                        -- the count that the token shows
  kid        TEXT,
  signed_at  INTEGER,
  CHECK ((token IS NULL) = (of_changes IS NULL)),
  CHECK ((token IS NULL) = (kid IS NULL)),
  CHECK ((token IS NULL) = (signed_at IS NULL))
) STRICT;
CREATE INDEX consents_not_valid ON consents (status_index) WHERE state <> 'active';
CREATE INDEX consents_commitment ON consents (commitment);
-- What the node does by itself. One process holds a job until its lease ends; `run` tells its holders apart.
CREATE TABLE jobs (
  name         TEXT   NOT NULL PRIMARY KEY,
  due_at       INTEGER NOT NULL,
  lease_owner  TEXT,
  lease_until  INTEGER NOT NULL DEFAULT 0,
  run          INTEGER NOT NULL DEFAULT 0,
  last_done_at INTEGER,
  last_error   TEXT                       -- a stable word
) STRICT;
-- Destinations that did not answer last time.
CREATE TABLE outbox_peers (
  destination TEXT   NOT NULL PRIMARY KEY,
  failures    INTEGER NOT NULL CHECK (failures > 0),
  not_before  INTEGER NOT NULL
) STRICT;
CREATE INDEX outbox_destination ON outbox (destination) WHERE delivered_at IS NULL AND given_up_at IS NULL;
-- At the recipient: what was fetched and must be deleted in time.
CREATE TABLE deletions (
  held         BLOB   NOT NULL PRIMARY KEY REFERENCES held_consents (id),
  fetched_at   INTEGER NOT NULL,             -- the last fetch that brought data
  due_at       INTEGER NOT NULL,
  confirmed_at INTEGER,                      -- when the service confirmed; empty again after a later fetch
  deleted_at   INTEGER,                      -- when the data was deleted, as the service says
  CHECK ((confirmed_at IS NULL) = (deleted_at IS NULL))
) STRICT;
CREATE INDEX deletions_due ON deletions (due_at) WHERE confirmed_at IS NULL;
-- At the holder: what recipients confirmed, with their signature.
CREATE TABLE deletion_confirmations (
  consent     BLOB   NOT NULL REFERENCES consents (id),
  jti         TEXT   NOT NULL,
  deleted_at  INTEGER NOT NULL,
  received_at INTEGER NOT NULL,
  event       TEXT   NOT NULL,
  PRIMARY KEY (consent, jti)
) STRICT;
-- Reminders before an end, and the erasure of what need not be known any longer.
ALTER TABLE consents ADD COLUMN reminded_at INTEGER;
ALTER TABLE consents ADD COLUMN erased_at INTEGER;
ALTER TABLE held_consents ADD COLUMN erased_at INTEGER;
