CREATE TABLE held_consents (
  id                   BYTEA  PRIMARY KEY CHECK (octet_length(id) = 16),
  origin               TEXT   NOT NULL CHECK (origin IN ('service', 'resident')),
  service              TEXT   NOT NULL,
  holder               TEXT   NOT NULL,
  dataset              TEXT   NOT NULL,
  use_id               TEXT   NOT NULL,
  case_reference       BYTEA,             -- sealed
  expected_person      BYTEA,             -- sealed
  return_url           TEXT,
  detail               TEXT   NOT NULL,   -- JSON: the authorization_details entry, as asked, then as granted
  oauth_state_hash     BYTEA  UNIQUE,
  code_verifier        BYTEA,             -- sealed
  browser_binding_hash BYTEA,
  state                TEXT   NOT NULL CHECK (state IN ('requested', 'active', 'suspended', 'declined', 'lapsed',
                         'failed', 'ended')),
  state_reason         TEXT,              -- a stable word
  grant_id             TEXT,
  dpop_kid             TEXT   REFERENCES signing_keys (kid), -- the key that the token is bound to
  access_token         BYTEA,             -- sealed
  access_expires_at    BIGINT,
  refresh_token        BYTEA,             -- sealed
  until_at             BIGINT,
  created_at           BIGINT NOT NULL,
  updated_at           BIGINT NOT NULL,
  version              BIGINT NOT NULL DEFAULT 0,
  UNIQUE (holder, grant_id)
);
CREATE INDEX held_consents_service ON held_consents (service, created_at);
CREATE TABLE fetches (
  seq             BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  held            BYTEA  NOT NULL REFERENCES held_consents (id),
  at              BIGINT NOT NULL,
  outcome         TEXT   NOT NULL,        -- 'released' or an error code
  exchange        BYTEA,                  -- the exchange's id at the holder
  receipt         TEXT,
  body_digest     TEXT
);
CREATE INDEX fetches_held ON fetches (held, seq);
