CREATE TABLE held_consents (
  id                       BYTEA NOT NULL PRIMARY KEY CHECK (octet_length(id) = 16),
  origin                   TEXT NOT NULL CHECK (origin IN ('pushed', 'portal')),
  service                  TEXT NOT NULL,
  holder                   TEXT NOT NULL,
  detail                   TEXT NOT NULL, -- JSON: the authorization_details entry as asked, then as allowed
  case_reference           BYTEA,          -- sealed
  expected_person          BYTEA,          -- sealed
  asked_acr                TEXT,
  asked_max_age            BIGINT,
  return_url               TEXT,
  action                   TEXT CHECK (action IN ('replace', 'merge')),
  replaces                 BYTEA,
  state                    TEXT NOT NULL CHECK (state IN
                             ('requested', 'given', 'active', 'suspended', 'declined', 'lapsed', 'failed', 'ended')),
  reason                   TEXT,          -- a stable word
  grant_id                 TEXT,
  superseded_at            BIGINT,       -- when another consent took the grant over
  commitment               TEXT,
  sequence                 BIGINT NOT NULL DEFAULT 0, -- of the holder's last event about it
  access_token             BYTEA,          -- sealed
  access_expires_at        BIGINT,
  refresh_token            BYTEA,          -- sealed
  dpop_kid                 TEXT REFERENCES signing_keys (kid), -- the key that the token is bound to
  oauth_state_hash         BYTEA UNIQUE,   -- keyed hash
  code_verifier            BYTEA,          -- sealed
  browser_binding_hash     BYTEA,          -- keyed hash
  authorization_dpop_kid   TEXT,          -- the key that the code of a pending authorization is bound to
  authorization_expires_at BIGINT,
  received                 BIGINT NOT NULL DEFAULT 0, -- fetches that returned data
  created_at               BIGINT NOT NULL,
  updated_at               BIGINT NOT NULL,
  erased_at                BIGINT,
  CHECK ((state IN ('active', 'suspended')) = (access_token IS NOT NULL)),
  CHECK ((access_token IS NULL) = (access_expires_at IS NULL)),
  CHECK ((access_token IS NULL) = (dpop_kid IS NULL))
);
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
  seq         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  held        BYTEA NOT NULL REFERENCES held_consents (id),
  at          BIGINT NOT NULL,
  outcome     TEXT NOT NULL, -- a stable word
  receipt     TEXT,
  receipt_hash BYTEA, -- SHA-256 of it
  body_digest TEXT,
  available_from BIGINT -- of a deferred answer: the holder is not asked again before
);
CREATE INDEX fetches_held ON fetches (held, seq);
CREATE INDEX fetches_receipt ON fetches (receipt_hash) WHERE receipt_hash IS NOT NULL;
-- What was fetched and must be deleted in time.
CREATE TABLE deletions (
  held         BYTEA NOT NULL PRIMARY KEY REFERENCES held_consents (id),
  fetched_at   BIGINT NOT NULL, -- the last fetch that brought data
  due_at       BIGINT NOT NULL,
  confirmed_at BIGINT,          -- when the service confirmed; empty again after a later fetch
  deleted_at   BIGINT,          -- when the data was deleted, as the service says
  CHECK ((confirmed_at IS NULL) = (deleted_at IS NULL))
);
CREATE INDEX deletions_due ON deletions (due_at) WHERE confirmed_at IS NULL;
-- Events about a consent that is not known here yet: the answer that brings it is on its way.
CREATE TABLE pending_events (
  holder      TEXT NOT NULL,
  grant_id    TEXT NOT NULL,
  commitment  TEXT NOT NULL,
  sequence    BIGINT NOT NULL,
  event       TEXT NOT NULL,
  received_at BIGINT NOT NULL,
  PRIMARY KEY (holder, grant_id, commitment, sequence)
);
CREATE INDEX pending_events_received ON pending_events (received_at);
