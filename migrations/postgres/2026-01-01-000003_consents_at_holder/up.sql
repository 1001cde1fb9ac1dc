CREATE TABLE consent_requests (
  id                     BYTEA  PRIMARY KEY CHECK (octet_length(id) = 16),
  origin                 TEXT   NOT NULL CHECK (origin IN ('pushed', 'portal')),
  recipient              TEXT   NOT NULL,
  recipient_name         TEXT   NOT NULL, -- JSON, in three languages
  terms                  TEXT   NOT NULL, -- JSON
  declared_use           TEXT   NOT NULL, -- JSON, as it was when asked
  return_path            TEXT,            -- JSON
  expected_person        BYTEA,           -- keyed hash of the identifier
  person                 BYTEA  REFERENCES persons (id),
  request_uri_hash       BYTEA  UNIQUE,   -- keyed hash
  request_uri_expires_at BIGINT,
  request_uri_used_at    BIGINT,
  state                  TEXT   NOT NULL CHECK (state IN ('requested', 'allowed', 'declined', 'lapsed')),
  consent                BYTEA,           -- what came of it
  pending_decision       BYTEA,           -- sealed
  created_at             BIGINT NOT NULL,
  expires_at             BIGINT NOT NULL,
  ended_at               BIGINT,
  CHECK ((state = 'allowed') = (consent IS NOT NULL)),
  CHECK ((state = 'requested') = (ended_at IS NULL))
);
CREATE INDEX consent_requests_person ON consent_requests (person, created_at);
CREATE INDEX consent_requests_expires ON consent_requests (expires_at) WHERE state = 'requested';
CREATE TABLE consents (
  id               BYTEA  PRIMARY KEY CHECK (octet_length(id) = 16),
  grant_id         TEXT   NOT NULL UNIQUE,
  request          BYTEA  NOT NULL UNIQUE REFERENCES consent_requests (id),
  origin           TEXT   NOT NULL CHECK (origin IN ('pushed', 'portal')),
  person           BYTEA  NOT NULL REFERENCES persons (id),
  subject          TEXT   NOT NULL,       -- pairwise
  recipient        TEXT   NOT NULL,
  dataset          TEXT   NOT NULL,
  terms            TEXT   NOT NULL,       -- JSON
  evidence         BYTEA  NOT NULL,       -- sealed: what the resident saw, and the provider's signature on it
  commitment       TEXT   NOT NULL,
  acr              TEXT,
  auth_time        BIGINT NOT NULL,
  state            TEXT   NOT NULL CHECK (state IN ('active', 'suspended', 'revoked', 'returned', 'withdrawn',
                     'expired', 'exhausted', 'replaced')),
  status_index     BIGINT NOT NULL UNIQUE CHECK (status_index BETWEEN 0 AND 4294967295),
  exchanges        BIGINT NOT NULL DEFAULT 0 CHECK (exchanges >= 0),
  last_exchange_at BIGINT,
  decided_at       BIGINT NOT NULL,
  until_at         BIGINT NOT NULL,
  ended_at         BIGINT,
  version          BIGINT NOT NULL DEFAULT 0,
  CHECK ((state IN ('active', 'suspended')) = (ended_at IS NULL))
);
CREATE INDEX consents_person ON consents (person, decided_at);
CREATE INDEX consents_until ON consents (until_at) WHERE state IN ('active', 'suspended');
CREATE TABLE consent_events (
  seq        BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  consent    BYTEA  NOT NULL REFERENCES consents (id),
  at         BIGINT NOT NULL,
  actor      TEXT   NOT NULL CHECK (actor IN ('resident', 'recipient', 'node')),
  from_state TEXT,
  to_state   TEXT   NOT NULL,
  ended_at   BIGINT
);
CREATE INDEX consent_events_consent ON consent_events (consent, seq);
CREATE FUNCTION consent_events_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'consent_events is append-only'; END $$;
CREATE TRIGGER consent_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON consent_events
  FOR EACH STATEMENT EXECUTE FUNCTION consent_events_append_only();
CREATE TABLE authorization_codes (
  code_hash      BYTEA  PRIMARY KEY,
  kind           TEXT   NOT NULL CHECK (kind IN ('code', 'pre_authorized_code')),
  consent        BYTEA  NOT NULL REFERENCES consents (id),
  client         TEXT   NOT NULL,
  redirect_uri   TEXT,
  code_challenge TEXT,
  dpop_jkt       TEXT,
  created_at     BIGINT NOT NULL,
  expires_at     BIGINT NOT NULL,
  used_at        BIGINT
);
CREATE INDEX authorization_codes_expires ON authorization_codes (expires_at);
CREATE TABLE issued_tokens (
  jti        TEXT   PRIMARY KEY,
  consent    BYTEA  NOT NULL REFERENCES consents (id),
  jkt        TEXT   NOT NULL,
  iat        BIGINT NOT NULL,
  exp        BIGINT NOT NULL,
  revoked_at BIGINT
);
CREATE INDEX issued_tokens_consent ON issued_tokens (consent);
CREATE TABLE refresh_tokens (
  token_hash BYTEA  PRIMARY KEY,
  consent    BYTEA  NOT NULL REFERENCES consents (id),
  client     TEXT   NOT NULL,
  created_at BIGINT NOT NULL,
  revoked_at BIGINT
);
CREATE INDEX refresh_tokens_consent ON refresh_tokens (consent);
CREATE TABLE exchanges (
  id              BYTEA  PRIMARY KEY CHECK (octet_length(id) = 16),
  consent         BYTEA  NOT NULL REFERENCES consents (id),
  recipient       TEXT   NOT NULL,
  dataset         TEXT   NOT NULL,
  fields          TEXT   NOT NULL,        -- JSON array
  at              BIGINT NOT NULL,
  log_idx         BIGINT NOT NULL UNIQUE REFERENCES log_entries (idx),
  proof_digest    TEXT   NOT NULL,
  body_digest     TEXT   NOT NULL,
  receipt         TEXT   NOT NULL,
  delivered_at    BIGINT,
  acknowledged_at BIGINT,
  acknowledgement TEXT
);
CREATE INDEX exchanges_consent ON exchanges (consent, at);
