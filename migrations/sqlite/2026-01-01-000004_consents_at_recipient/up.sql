CREATE TABLE held_consents (
  id                   BLOB   NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  origin               TEXT   NOT NULL CHECK (origin IN ('service', 'resident')),
  service              TEXT   NOT NULL,
  holder               TEXT   NOT NULL,
  dataset              TEXT   NOT NULL,
  use_id               TEXT   NOT NULL,
  case_reference       BLOB,              -- sealed
  expected_person      BLOB,              -- sealed
  return_url           TEXT,
  detail               TEXT   NOT NULL,   -- JSON: the authorization_details entry, as asked, then as granted
  oauth_state_hash     BLOB   UNIQUE,
  code_verifier        BLOB,              -- sealed
  browser_binding_hash BLOB, 
  state                TEXT   NOT NULL CHECK (state IN ('requested', 'active', 'suspended', 'declined', 'lapsed',
                         'failed', 'ended')),
  state_reason         TEXT,              -- a stable word
  grant_id             TEXT,
  dpop_kid             TEXT   REFERENCES signing_keys (kid), -- the key that the token is bound to
  access_token         BLOB,              -- sealed
  access_expires_at    INTEGER,
  refresh_token        BLOB,              -- sealed
  until_at             INTEGER,
  created_at           INTEGER NOT NULL,
  updated_at           INTEGER NOT NULL,
  version              INTEGER NOT NULL DEFAULT 0,
  UNIQUE (holder, grant_id)
) STRICT;
CREATE INDEX held_consents_service ON held_consents (service, created_at);
CREATE TABLE fetches (
  seq             INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
  held            BLOB   NOT NULL REFERENCES held_consents (id),
  at              INTEGER NOT NULL,
  outcome         TEXT   NOT NULL,        -- 'released' or an error code
  exchange        BLOB,                   -- the exchange's id at the holder
  receipt         TEXT,
  body_digest     TEXT
) STRICT;
CREATE INDEX fetches_held ON fetches (held, seq);
