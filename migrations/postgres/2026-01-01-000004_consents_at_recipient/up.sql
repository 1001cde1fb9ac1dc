CREATE TABLE held_consents (
  id                       BYTEA  PRIMARY KEY CHECK (octet_length(id) = 16),
  origin                   TEXT   NOT NULL CHECK (origin IN ('pushed', 'portal')),
  service                  TEXT   NOT NULL,
  holder                   TEXT   NOT NULL,
  detail                   TEXT   NOT NULL, -- JSON: the authorization_details entry as asked, then as allowed
  case_reference           BYTEA,           -- sealed
  expected_person          BYTEA,           -- sealed
  return_url               TEXT,
  state                    TEXT   NOT NULL CHECK (state IN
                             ('requested', 'given', 'active', 'declined', 'lapsed', 'failed', 'ended')),
  reason                   TEXT,            -- a stable word
  grant_id                 TEXT,
  access_token             BYTEA,           -- sealed
  access_expires_at        BIGINT,
  refresh_token            BYTEA,           -- sealed
  dpop_kid                 TEXT   REFERENCES signing_keys (kid), -- the key that the token is bound to
  oauth_state_hash         BYTEA  UNIQUE,   -- keyed hash
  code_verifier            BYTEA,           -- sealed
  browser_binding_hash     BYTEA,           -- keyed hash
  authorization_expires_at BIGINT,
  created_at               BIGINT NOT NULL,
  updated_at               BIGINT NOT NULL,
  UNIQUE (holder, grant_id),
  CHECK ((state = 'active') = (access_token IS NOT NULL)),
  CHECK ((access_token IS NULL) = (access_expires_at IS NULL)),
  CHECK ((access_token IS NULL) = (dpop_kid IS NULL))
);
CREATE INDEX held_consents_service ON held_consents (service, created_at);
CREATE TABLE fetches (
  seq         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  held        BYTEA  NOT NULL REFERENCES held_consents (id),
  at          BIGINT NOT NULL,
  outcome     TEXT   NOT NULL,              -- a stable word
  receipt     TEXT,
  body_digest TEXT
);
CREATE INDEX fetches_held ON fetches (held, seq);
