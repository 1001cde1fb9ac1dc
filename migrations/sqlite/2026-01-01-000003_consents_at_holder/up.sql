CREATE TABLE consent_requests (
  id                     BLOB   NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  origin                 TEXT   NOT NULL CHECK (origin IN ('pushed', 'portal')),
  recipient              TEXT   NOT NULL,
  recipient_name         TEXT   NOT NULL, -- JSON, in three languages
  terms                  TEXT   NOT NULL, -- JSON
  declared_use           TEXT   NOT NULL, -- JSON, as it was when asked
  return_path            TEXT,            -- JSON
  expected_person        BLOB,            -- keyed hash of the identifier
  person                 BLOB   REFERENCES persons (id),
  request_uri_hash       BLOB   UNIQUE,   -- keyed hash
  request_uri_expires_at INTEGER,
  request_uri_used_at    INTEGER,
  state                  TEXT   NOT NULL CHECK (state IN ('requested', 'allowed', 'declined', 'lapsed')),
  consent                BLOB,            -- what came of it
  pending_decision       BLOB,            -- sealed
  created_at             INTEGER NOT NULL,
  expires_at             INTEGER NOT NULL,
  ended_at               INTEGER,
  CHECK ((state = 'allowed') = (consent IS NOT NULL)),
  CHECK ((state = 'requested') = (ended_at IS NULL))
) STRICT;
CREATE INDEX consent_requests_person ON consent_requests (person, created_at);
CREATE INDEX consent_requests_expires ON consent_requests (expires_at) WHERE state = 'requested';
CREATE TABLE consents (
  id               BLOB   NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  grant_id         TEXT   NOT NULL UNIQUE,
  request          BLOB   NOT NULL UNIQUE REFERENCES consent_requests (id),
  origin           TEXT   NOT NULL CHECK (origin IN ('pushed', 'portal')),
  person           BLOB   NOT NULL REFERENCES persons (id),
  subject          TEXT   NOT NULL,       -- pairwise
  recipient        TEXT   NOT NULL,
  dataset          TEXT   NOT NULL,
  terms            TEXT   NOT NULL,       -- JSON
  evidence         BLOB   NOT NULL,       -- sealed: what the resident saw, and the provider's signature on it
  commitment       TEXT   NOT NULL,
  acr              TEXT,
  auth_time        INTEGER NOT NULL,
  state            TEXT   NOT NULL CHECK (state IN ('active', 'suspended', 'revoked', 'returned', 'withdrawn',
                     'expired', 'exhausted', 'replaced')),
  status_index     INTEGER NOT NULL UNIQUE CHECK (status_index BETWEEN 0 AND 4294967295),
  exchanges        INTEGER NOT NULL DEFAULT 0 CHECK (exchanges >= 0),
  last_exchange_at INTEGER,
  decided_at       INTEGER NOT NULL,
  until_at         INTEGER NOT NULL,
  ended_at         INTEGER,
  version          INTEGER NOT NULL DEFAULT 0,
  CHECK ((state IN ('active', 'suspended')) = (ended_at IS NULL))
) STRICT;
CREATE INDEX consents_person ON consents (person, decided_at);
CREATE INDEX consents_until ON consents (until_at) WHERE state IN ('active', 'suspended');
CREATE TABLE consent_events (
  seq        INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
  consent    BLOB   NOT NULL REFERENCES consents (id),
  at         INTEGER NOT NULL,
  actor      TEXT   NOT NULL CHECK (actor IN ('resident', 'recipient', 'node')),
  from_state TEXT,
  to_state   TEXT   NOT NULL,
  ended_at   INTEGER
) STRICT;
CREATE INDEX consent_events_consent ON consent_events (consent, seq);
CREATE TRIGGER consent_events_no_update BEFORE UPDATE ON consent_events
BEGIN SELECT RAISE(ABORT, 'consent_events is append-only'); END;
CREATE TRIGGER consent_events_no_delete BEFORE DELETE ON consent_events
BEGIN SELECT RAISE(ABORT, 'consent_events is append-only'); END;
CREATE TABLE authorization_codes (
  code_hash      BLOB   NOT NULL PRIMARY KEY,
  kind           TEXT   NOT NULL CHECK (kind IN ('code', 'pre_authorized_code')),
  consent        BLOB   NOT NULL REFERENCES consents (id),
  client         TEXT   NOT NULL,
  redirect_uri   TEXT,
  code_challenge TEXT,
  dpop_jkt       TEXT,
  created_at     INTEGER NOT NULL,
  expires_at     INTEGER NOT NULL,
  used_at        INTEGER
) STRICT;
CREATE INDEX authorization_codes_expires ON authorization_codes (expires_at);
CREATE TABLE issued_tokens (
  jti        TEXT   NOT NULL PRIMARY KEY,
  consent    BLOB   NOT NULL REFERENCES consents (id),
  jkt        TEXT   NOT NULL,
  iat        INTEGER NOT NULL,
  exp        INTEGER NOT NULL,
  revoked_at INTEGER
) STRICT;
CREATE INDEX issued_tokens_consent ON issued_tokens (consent);
CREATE TABLE refresh_tokens (
  token_hash BLOB   NOT NULL PRIMARY KEY,
  consent    BLOB   NOT NULL REFERENCES consents (id),
  client     TEXT   NOT NULL,
  created_at INTEGER NOT NULL,
  revoked_at INTEGER
) STRICT;
CREATE INDEX refresh_tokens_consent ON refresh_tokens (consent);
CREATE TABLE exchanges (
  id              BLOB   NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  consent         BLOB   NOT NULL REFERENCES consents (id),
  recipient       TEXT   NOT NULL,
  dataset         TEXT   NOT NULL,
  fields          TEXT   NOT NULL,        -- JSON array
  at              INTEGER NOT NULL,
  log_idx         INTEGER NOT NULL UNIQUE REFERENCES log_entries (idx),
  proof_digest    TEXT   NOT NULL,
  body_digest     TEXT   NOT NULL,
  receipt         TEXT   NOT NULL,
  delivered_at    INTEGER,
  acknowledged_at INTEGER,
  acknowledgement TEXT
) STRICT;
CREATE INDEX exchanges_consent ON exchanges (consent, at);
