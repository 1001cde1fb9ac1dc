CREATE TABLE consent_requests (
  id                     BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  origin                 TEXT NOT NULL CHECK (origin IN ('pushed', 'portal')),
  recipient              TEXT NOT NULL,
  recipient_name         TEXT NOT NULL, -- JSON, in three languages
  terms                  TEXT NOT NULL, -- JSON
  declared_use           TEXT NOT NULL, -- JSON, as it was when asked
  asked_acr              TEXT,          -- how strongly and freshly the one who asks wants the resident to be known,
  asked_max_age          INTEGER,        -- beyond what the dataset demands
  return_path            TEXT,          -- JSON
  action                 TEXT CHECK (action IN ('replace', 'merge')),
  replaces               BLOB,          -- the consent that this is about
  expected_person        BLOB,          -- keyed hash of the identifier
  person                 BLOB REFERENCES persons (id),
  request_uri_hash       BLOB UNIQUE,   -- keyed hash
  request_uri_expires_at INTEGER,
  request_uri_used_at    INTEGER,
  state                  TEXT NOT NULL CHECK (state IN ('requested', 'allowed', 'declined', 'lapsed')),
  denied_by              TEXT CHECK (denied_by IN ('partner', 'use', 'dataset')), -- the standing denial that declined it
  consent                BLOB,          -- what came of it
  pending_decision       BLOB,          -- sealed
  created_at             INTEGER NOT NULL,
  expires_at             INTEGER NOT NULL,
  ended_at               INTEGER,
  CHECK ((state = 'allowed') = (consent IS NOT NULL)),
  CHECK ((state = 'requested') = (ended_at IS NULL))
) STRICT;
CREATE INDEX consent_requests_person ON consent_requests (person);
CREATE INDEX consent_requests_open_person ON consent_requests (person) WHERE state = 'requested';
CREATE INDEX consent_requests_open_expected ON consent_requests (expected_person) WHERE state = 'requested';
CREATE INDEX consent_requests_open_recipient ON consent_requests (recipient, expires_at) WHERE state = 'requested';
CREATE INDEX consent_requests_denied ON consent_requests (person, ended_at, id) WHERE denied_by IS NOT NULL;
CREATE INDEX consent_requests_expires ON consent_requests (expires_at) WHERE state = 'requested';
CREATE INDEX consent_requests_ended ON consent_requests (ended_at) WHERE consent IS NULL;
CREATE INDEX consent_requests_lapsed ON consent_requests (ended_at) WHERE state = 'lapsed';
CREATE TABLE consents (
  id               BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  grant_id         TEXT NOT NULL,
  superseded_at    INTEGER,       -- when another consent took the grant over: a grant has one consent at a time
  request          BLOB NOT NULL UNIQUE REFERENCES consent_requests (id),
  origin           TEXT NOT NULL CHECK (origin IN ('pushed', 'portal')),
  person           BLOB NOT NULL REFERENCES persons (id),
  subject          TEXT NOT NULL, -- pairwise
  recipient        TEXT NOT NULL,
  dataset          TEXT NOT NULL,
  declared_use     TEXT NOT NULL, -- as the terms name it
  followed         TEXT NOT NULL DEFAULT '', -- what was published of that use when the consent was last compared with it
  terms            TEXT NOT NULL, -- JSON
  commitment       TEXT NOT NULL,
  acr              TEXT,
  auth_time        INTEGER,       -- as the login provider stated it
  identifier_hash  BLOB,          -- keyed hash of the signer's identifier at the decision; empty once erased
  passkey          TEXT,          -- hash of the credential that signed the decision too
  state            TEXT NOT NULL CHECK (state IN ('active', 'suspended', 'revoked', 'returned', 'withdrawn',
                     'expired', 'exhausted', 'replaced')),
  reason           TEXT NOT NULL, -- of the last change, a stable word
  status_index     INTEGER NOT NULL UNIQUE CHECK (status_index BETWEEN 0 AND 4294967295),
  exchanges        INTEGER NOT NULL DEFAULT 0 CHECK (exchanges >= 0),
  last_exchange_at INTEGER,
  decided_at       INTEGER NOT NULL,
  until_at         INTEGER NOT NULL,
  ended_at         INTEGER,
  replaces         BLOB,
  replaced_by      BLOB,
  epoch            INTEGER NOT NULL, -- below the database's own: held back until the recipient has been compared with
  remind_at        INTEGER,       -- when the resident is to be reminded of the end; empty for what was given for a short time
  reminded_at      INTEGER,
  erased_at        INTEGER,
  CHECK ((state IN ('active', 'suspended')) = (ended_at IS NULL))
) STRICT;
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
  consent  BLOB NOT NULL PRIMARY KEY REFERENCES consents (id),
  evidence BLOB NOT NULL -- sealed
) STRICT;
CREATE TABLE consent_events (
  seq        INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
  consent    BLOB NOT NULL REFERENCES consents (id),
  at         INTEGER NOT NULL,
  actor      TEXT NOT NULL CHECK (actor IN ('resident', 'recipient', 'node')),
  from_state TEXT,
  to_state   TEXT NOT NULL,
  reason     TEXT NOT NULL,
  ended_at   INTEGER
) STRICT;
CREATE INDEX consent_events_consent ON consent_events (consent, seq);
CREATE TRIGGER consent_events_no_update BEFORE UPDATE ON consent_events
BEGIN SELECT RAISE(ABORT, 'consent_events is append-only'); END;
CREATE TRIGGER consent_events_no_delete BEFORE DELETE ON consent_events
BEGIN SELECT RAISE(ABORT, 'consent_events is append-only'); END;
-- What a resident refuses: requests that match are not put before them, for good or until a moment.
CREATE TABLE standing_denials (
  id         BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  person     BLOB NOT NULL REFERENCES persons (id),
  kind       TEXT NOT NULL CHECK (kind IN ('partner', 'use', 'dataset')),
  target     TEXT NOT NULL,
  name       TEXT NOT NULL, -- JSON, in three languages, as it was called then
  created_at INTEGER NOT NULL,
  until_at   INTEGER,       -- a plain refusal ends; without it, it is for good
  UNIQUE (person, kind, target)
) STRICT;
CREATE INDEX standing_denials_until ON standing_denials (until_at) WHERE until_at IS NOT NULL;
CREATE TABLE authorization_codes (
  code_hash      BLOB NOT NULL PRIMARY KEY,
  kind           TEXT NOT NULL CHECK (kind IN ('code', 'pre_authorized_code')),
  consent        BLOB NOT NULL REFERENCES consents (id),
  client         TEXT NOT NULL,
  redirect_uri   TEXT,
  code_challenge TEXT,
  dpop_jkt       TEXT,
  created_at     INTEGER NOT NULL,
  expires_at     INTEGER NOT NULL,
  used_at        INTEGER
) STRICT;
CREATE INDEX authorization_codes_expires ON authorization_codes (expires_at);
CREATE INDEX authorization_codes_unredeemed ON authorization_codes (expires_at) WHERE used_at IS NULL;
CREATE TABLE issued_tokens (
  jti     TEXT NOT NULL PRIMARY KEY,
  consent BLOB NOT NULL REFERENCES consents (id),
  jkt     TEXT NOT NULL,
  iat     INTEGER NOT NULL,
  exp     INTEGER NOT NULL
) STRICT;
CREATE INDEX issued_tokens_consent ON issued_tokens (consent, jkt);
CREATE TABLE refresh_tokens (
  token_hash BLOB NOT NULL PRIMARY KEY,
  consent    BLOB NOT NULL REFERENCES consents (id),
  client     TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX refresh_tokens_consent ON refresh_tokens (consent);
CREATE TABLE exchanges (
  id              BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  consent         BLOB NOT NULL REFERENCES consents (id),
  recipient       TEXT NOT NULL,
  dataset         TEXT NOT NULL,
  fields          TEXT NOT NULL, -- JSON array
  at              INTEGER NOT NULL,
  log_idx         INTEGER NOT NULL UNIQUE REFERENCES log_entries (idx),
  proof_digest    TEXT NOT NULL,
  body_digest     TEXT NOT NULL,
  receipt         TEXT NOT NULL,
  acknowledged_at INTEGER,
  acknowledgement TEXT
) STRICT;
CREATE INDEX exchanges_consent ON exchanges (consent, at, log_idx);
-- What a holder signed about a decision and every change since, for the resident. A declined request has one too.
CREATE TABLE consent_receipts (
  id      BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  consent BLOB NOT NULL, -- the consent, or the declined request under its own number
  person  BLOB NOT NULL REFERENCES persons (id),
  version INTEGER NOT NULL CHECK (version >= 1),
  change  TEXT NOT NULL,
  at      INTEGER NOT NULL,
  log_idx INTEGER NOT NULL UNIQUE REFERENCES log_entries (idx),
  receipt BLOB NOT NULL, -- sealed: a compact JWS
  UNIQUE (consent, version)
) STRICT;
CREATE INDEX consent_receipts_person ON consent_receipts (person, at, log_idx);
-- Status lists as signed last: every process of the node serves the same text.
CREATE TABLE status_lists (
  number     INTEGER NOT NULL PRIMARY KEY CHECK (number >= 0),
  changes    INTEGER NOT NULL DEFAULT 0, -- counts the changes of its entries
  token      TEXT,                      -- as signed last
  of_changes INTEGER,                    -- the count that the token shows
  kid        TEXT,
  signed_at  INTEGER,
  CHECK ((token IS NULL) = (of_changes IS NULL)),
  CHECK ((token IS NULL) = (kid IS NULL)),
  CHECK ((token IS NULL) = (signed_at IS NULL))
) STRICT;
-- The last changes of the lists' entries: who has built a list brings it up to date with them.
CREATE TABLE status_list_changes (
  number       INTEGER NOT NULL,
  change       INTEGER NOT NULL, -- which change of that list
  status_index INTEGER NOT NULL,
  PRIMARY KEY (number, change)
) STRICT;
-- What recipients confirmed to have deleted, with their signature.
CREATE TABLE deletion_confirmations (
  consent     BLOB NOT NULL REFERENCES consents (id),
  jti         TEXT NOT NULL,
  deleted_at  INTEGER NOT NULL,
  received_at INTEGER NOT NULL,
  event       TEXT NOT NULL,
  PRIMARY KEY (consent, jti)
) STRICT;
