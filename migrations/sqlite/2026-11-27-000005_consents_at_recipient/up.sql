CREATE TABLE held_consents (
  id                       BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  origin                   TEXT NOT NULL CHECK (origin IN ('pushed', 'portal')),
  service                  TEXT NOT NULL,
  holder                   TEXT NOT NULL,
  detail                   TEXT NOT NULL, -- JSON: the authorization_details entry as asked, then as allowed
  case_reference           BLOB,          -- sealed
  expected_person          BLOB,          -- sealed
  asked_acr                TEXT,
  asked_max_age            INTEGER,
  return_url               TEXT,
  action                   TEXT CHECK (action IN ('replace', 'merge')),
  replaces                 BLOB,
  state                    TEXT NOT NULL CHECK (state IN
                             ('requested', 'given', 'active', 'suspended', 'declined', 'lapsed', 'failed', 'ended')),
  reason                   TEXT,          -- a stable word
  grant_id                 TEXT,
  superseded_at            INTEGER,       -- when another consent took the grant over
  commitment               TEXT,
  sequence                 INTEGER NOT NULL DEFAULT 0, -- of the holder's last event about it
  access_token             BLOB,          -- sealed
  access_expires_at        INTEGER,
  refresh_token            BLOB,          -- sealed
  dpop_kid                 TEXT REFERENCES signing_keys (kid), -- the key that the token is bound to
  oauth_state_hash         BLOB UNIQUE,   -- keyed hash
  code_verifier            BLOB,          -- sealed
  browser_binding_hash     BLOB,          -- keyed hash
  authorization_dpop_kid   TEXT,          -- the key that the code of a pending authorization is bound to
  authorization_expires_at INTEGER,
  received                 INTEGER NOT NULL DEFAULT 0, -- fetches that returned data
  created_at               INTEGER NOT NULL,
  updated_at               INTEGER NOT NULL,
  erased_at                INTEGER,
  CHECK ((state IN ('active', 'suspended')) = (access_token IS NOT NULL)),
  CHECK ((access_token IS NULL) = (access_expires_at IS NULL)),
  CHECK ((access_token IS NULL) = (dpop_kid IS NULL))
) STRICT;
CREATE UNIQUE INDEX held_consents_grant ON held_consents (holder, grant_id) WHERE superseded_at IS NULL;
CREATE INDEX held_consents_service ON held_consents (service, created_at);
CREATE INDEX held_consents_holder ON held_consents (holder, created_at);
CREATE INDEX held_consents_given ON held_consents (holder, created_at) WHERE origin = 'portal';
CREATE INDEX held_consents_state ON held_consents (service, state, created_at);
CREATE INDEX held_consents_undecided ON held_consents (created_at) WHERE state = 'requested';
CREATE INDEX held_consents_to_erase ON held_consents (updated_at)
  WHERE erased_at IS NULL AND state IN ('declined', 'lapsed', 'failed', 'ended');
CREATE INDEX held_consents_dpop ON held_consents (dpop_kid) WHERE dpop_kid IS NOT NULL;
CREATE TABLE fetches (
  seq         INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
  held        BLOB NOT NULL REFERENCES held_consents (id),
  at          INTEGER NOT NULL,
  outcome     TEXT NOT NULL, -- a stable word
  receipt     TEXT,
  receipt_hash BLOB, -- SHA-256 of it
  body_digest TEXT,
  available_from INTEGER -- of a deferred answer: the holder is not asked again before
) STRICT;
CREATE INDEX fetches_held ON fetches (held, seq);
CREATE INDEX fetches_receipt ON fetches (receipt_hash) WHERE receipt_hash IS NOT NULL;
-- What was fetched and must be deleted in time.
CREATE TABLE deletions (
  held         BLOB NOT NULL PRIMARY KEY REFERENCES held_consents (id),
  fetched_at   INTEGER NOT NULL, -- the last fetch that brought data
  due_at       INTEGER NOT NULL,
  confirmed_at INTEGER,          -- when the service confirmed; empty again after a later fetch
  deleted_at   INTEGER,          -- when the data was deleted, as the service says
  CHECK ((confirmed_at IS NULL) = (deleted_at IS NULL))
) STRICT;
CREATE INDEX deletions_due ON deletions (due_at) WHERE confirmed_at IS NULL;
-- Events about a consent that is not known here yet: the answer that brings it is on its way.
CREATE TABLE pending_events (
  holder      TEXT NOT NULL,
  grant_id    TEXT NOT NULL,
  commitment  TEXT NOT NULL,
  sequence    INTEGER NOT NULL,
  event       TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  PRIMARY KEY (holder, grant_id, commitment, sequence)
) STRICT;
CREATE INDEX pending_events_received ON pending_events (received_at);
