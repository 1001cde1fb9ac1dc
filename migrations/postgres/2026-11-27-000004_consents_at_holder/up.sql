CREATE TABLE consent_requests (
  id                     BYTEA NOT NULL PRIMARY KEY CHECK (octet_length(id) = 16),
  origin                 TEXT NOT NULL CHECK (origin IN ('pushed', 'portal')),
  recipient              TEXT NOT NULL,
  recipient_name         TEXT NOT NULL, -- JSON, in three languages
  terms                  TEXT NOT NULL, -- JSON
  declared_use           TEXT NOT NULL, -- JSON, as it was when asked
  asked_acr              TEXT,          -- how strongly and freshly the one who asks wants the resident to be known,
  asked_max_age          BIGINT,        -- beyond what the dataset demands
  return_path            TEXT,          -- JSON
  action                 TEXT CHECK (action IN ('replace', 'merge')),
  replaces               BYTEA,          -- the consent that this is about
  expected_person        BYTEA,          -- keyed hash of the identifier
  person                 BYTEA REFERENCES persons (id),
  request_uri_hash       BYTEA UNIQUE,   -- keyed hash
  request_uri_expires_at BIGINT,
  request_uri_used_at    BIGINT,
  state                  TEXT NOT NULL CHECK (state IN ('requested', 'allowed', 'declined', 'lapsed')),
  denied_by              TEXT CHECK (denied_by IN ('partner', 'use', 'dataset')), -- the standing denial that declined it
  consent                BYTEA,          -- what came of it
  pending_decision       BYTEA,          -- sealed
  created_at             BIGINT NOT NULL,
  expires_at             BIGINT NOT NULL,
  ended_at               BIGINT,
  CHECK ((state = 'allowed') = (consent IS NOT NULL)),
  CHECK ((state = 'requested') = (ended_at IS NULL))
);
CREATE INDEX consent_requests_person ON consent_requests (person);
CREATE INDEX consent_requests_open_person ON consent_requests (person) WHERE state = 'requested';
CREATE INDEX consent_requests_open_expected ON consent_requests (expected_person) WHERE state = 'requested';
CREATE INDEX consent_requests_open_recipient ON consent_requests (recipient, expires_at) WHERE state = 'requested';
CREATE INDEX consent_requests_denied ON consent_requests (person, ended_at, id) WHERE denied_by IS NOT NULL;
CREATE INDEX consent_requests_expires ON consent_requests (expires_at) WHERE state = 'requested';
CREATE INDEX consent_requests_ended ON consent_requests (ended_at) WHERE consent IS NULL;
CREATE INDEX consent_requests_lapsed ON consent_requests (ended_at) WHERE state = 'lapsed';
CREATE TABLE consents (
  id               BYTEA NOT NULL PRIMARY KEY CHECK (octet_length(id) = 16),
  grant_id         TEXT NOT NULL,
  superseded_at    BIGINT,       -- when another consent took the grant over: a grant has one consent at a time
  request          BYTEA NOT NULL UNIQUE REFERENCES consent_requests (id),
  origin           TEXT NOT NULL CHECK (origin IN ('pushed', 'portal')),
  person           BYTEA NOT NULL REFERENCES persons (id),
  subject          TEXT NOT NULL, -- pairwise
  recipient        TEXT NOT NULL,
  dataset          TEXT NOT NULL,
  declared_use     TEXT NOT NULL, -- as the terms name it
  followed         TEXT NOT NULL DEFAULT '', -- what was published of that use when the consent was last compared with it
  terms            TEXT NOT NULL, -- JSON
  commitment       TEXT NOT NULL,
  acr              TEXT,
  auth_time        BIGINT,       -- as the login provider stated it
  identifier_hash  BYTEA,          -- keyed hash of the signer's identifier at the decision; empty once erased
  passkey          TEXT,          -- hash of the credential that signed the decision too
  state            TEXT NOT NULL CHECK (state IN ('active', 'suspended', 'revoked', 'returned', 'withdrawn',
                     'expired', 'exhausted', 'replaced')),
  reason           TEXT NOT NULL, -- of the last change, a stable word
  status_index     BIGINT NOT NULL UNIQUE CHECK (status_index BETWEEN 0 AND 4294967295),
  exchanges        BIGINT NOT NULL DEFAULT 0 CHECK (exchanges >= 0),
  last_exchange_at BIGINT,
  decided_at       BIGINT NOT NULL,
  until_at         BIGINT NOT NULL,
  ended_at         BIGINT,
  replaces         BYTEA,
  replaced_by      BYTEA,
  epoch            BIGINT NOT NULL, -- below the database's own: held back until the recipient has been compared with
  remind_at        BIGINT,       -- when the resident is to be reminded of the end; empty for what was given for a short time
  reminded_at      BIGINT,
  erased_at        BIGINT,
  CHECK ((state IN ('active', 'suspended')) = (ended_at IS NULL))
);
CREATE UNIQUE INDEX consents_grant ON consents (grant_id) WHERE superseded_at IS NULL;
CREATE INDEX consents_person ON consents (person, decided_at);
CREATE INDEX consents_recipient ON consents (recipient, decided_at);
CREATE INDEX consents_epoch ON consents (epoch, recipient) WHERE ended_at IS NULL;
CREATE INDEX consents_use ON consents (declared_use, followed, id) WHERE ended_at IS NULL;
CREATE INDEX consents_until ON consents (until_at) WHERE ended_at IS NULL;
CREATE INDEX consents_to_remind ON consents (remind_at) WHERE ended_at IS NULL AND reminded_at IS NULL;
CREATE INDEX consents_to_erase ON consents (ended_at) WHERE ended_at IS NOT NULL AND erased_at IS NULL;
CREATE INDEX consents_not_valid ON consents (status_index) WHERE state <> 'active';
CREATE INDEX consents_commitment ON consents (commitment);
-- What the resident saw, and the provider's signature on it: large, and read only when somebody asks for it.
CREATE TABLE consent_evidence (
  consent  BYTEA NOT NULL PRIMARY KEY REFERENCES consents (id),
  evidence BYTEA NOT NULL -- sealed
);
CREATE TABLE consent_events (
  seq        BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  consent    BYTEA NOT NULL REFERENCES consents (id),
  at         BIGINT NOT NULL,
  actor      TEXT NOT NULL CHECK (actor IN ('resident', 'recipient', 'node')),
  from_state TEXT,
  to_state   TEXT NOT NULL,
  reason     TEXT NOT NULL,
  ended_at   BIGINT
);
CREATE INDEX consent_events_consent ON consent_events (consent, seq);
CREATE FUNCTION consent_events_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'consent_events is append-only'; END $$;
CREATE TRIGGER consent_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON consent_events
  FOR EACH STATEMENT EXECUTE FUNCTION consent_events_append_only();
-- What a resident refuses: requests that match are not put before them, for good or until a moment.
CREATE TABLE standing_denials (
  id         BYTEA NOT NULL PRIMARY KEY CHECK (octet_length(id) = 16),
  person     BYTEA NOT NULL REFERENCES persons (id),
  kind       TEXT NOT NULL CHECK (kind IN ('partner', 'use', 'dataset')),
  target     TEXT NOT NULL,
  name       TEXT NOT NULL, -- JSON, in three languages, as it was called then
  created_at BIGINT NOT NULL,
  until_at   BIGINT,       -- a plain refusal ends; without it, it is for good
  UNIQUE (person, kind, target)
);
CREATE INDEX standing_denials_until ON standing_denials (until_at) WHERE until_at IS NOT NULL;
CREATE TABLE authorization_codes (
  code_hash      BYTEA NOT NULL PRIMARY KEY,
  kind           TEXT NOT NULL CHECK (kind IN ('code', 'pre_authorized_code')),
  consent        BYTEA NOT NULL REFERENCES consents (id),
  client         TEXT NOT NULL,
  redirect_uri   TEXT,
  code_challenge TEXT,
  dpop_jkt       TEXT,
  created_at     BIGINT NOT NULL,
  expires_at     BIGINT NOT NULL,
  used_at        BIGINT
);
CREATE INDEX authorization_codes_expires ON authorization_codes (expires_at);
CREATE INDEX authorization_codes_unredeemed ON authorization_codes (expires_at) WHERE used_at IS NULL;
CREATE TABLE issued_tokens (
  jti     TEXT NOT NULL PRIMARY KEY,
  consent BYTEA NOT NULL REFERENCES consents (id),
  jkt     TEXT NOT NULL,
  iat     BIGINT NOT NULL,
  exp     BIGINT NOT NULL
);
CREATE INDEX issued_tokens_consent ON issued_tokens (consent, jkt);
CREATE TABLE refresh_tokens (
  token_hash BYTEA NOT NULL PRIMARY KEY,
  consent    BYTEA NOT NULL REFERENCES consents (id),
  client     TEXT NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE INDEX refresh_tokens_consent ON refresh_tokens (consent);
CREATE TABLE exchanges (
  id              BYTEA NOT NULL PRIMARY KEY CHECK (octet_length(id) = 16),
  consent         BYTEA NOT NULL REFERENCES consents (id),
  recipient       TEXT NOT NULL,
  dataset         TEXT NOT NULL,
  fields          TEXT NOT NULL, -- JSON array
  at              BIGINT NOT NULL,
  log_idx         BIGINT NOT NULL UNIQUE REFERENCES log_entries (idx),
  proof_digest    TEXT NOT NULL,
  body_digest     TEXT NOT NULL,
  receipt         TEXT NOT NULL,
  acknowledged_at BIGINT,
  acknowledgement TEXT
);
CREATE INDEX exchanges_consent ON exchanges (consent, at, log_idx);
-- What a holder signed about a decision and every change since, for the resident. A declined request has one too.
CREATE TABLE consent_receipts (
  id      BYTEA NOT NULL PRIMARY KEY CHECK (octet_length(id) = 16),
  consent BYTEA NOT NULL, -- the consent, or the declined request under its own number
  person  BYTEA NOT NULL REFERENCES persons (id),
  version BIGINT NOT NULL CHECK (version >= 1),
  change  TEXT NOT NULL,
  at      BIGINT NOT NULL,
  log_idx BIGINT NOT NULL UNIQUE REFERENCES log_entries (idx),
  receipt BYTEA NOT NULL, -- sealed: a compact JWS
  UNIQUE (consent, version)
);
CREATE INDEX consent_receipts_person ON consent_receipts (person, at, log_idx);
-- Status lists as signed last: every process of the node serves the same text.
CREATE TABLE status_lists (
  number     BIGINT NOT NULL PRIMARY KEY CHECK (number >= 0),
  changes    BIGINT NOT NULL DEFAULT 0, -- counts the changes of its entries
  token      TEXT,                      -- as signed last
  of_changes BIGINT,                    -- the count that the token shows
  kid        TEXT,
  signed_at  BIGINT,
  CHECK ((token IS NULL) = (of_changes IS NULL)),
  CHECK ((token IS NULL) = (kid IS NULL)),
  CHECK ((token IS NULL) = (signed_at IS NULL))
);
-- The last changes of the lists' entries: who has built a list brings it up to date with them.
CREATE TABLE status_list_changes (
  number       BIGINT NOT NULL,
  change       BIGINT NOT NULL, -- which change of that list
  status_index BIGINT NOT NULL,
  PRIMARY KEY (number, change)
);
-- What recipients confirmed to have deleted, with their signature.
CREATE TABLE deletion_confirmations (
  consent     BYTEA NOT NULL REFERENCES consents (id),
  jti         TEXT NOT NULL,
  deleted_at  BIGINT NOT NULL,
  received_at BIGINT NOT NULL,
  event       TEXT NOT NULL,
  PRIMARY KEY (consent, jti)
);
