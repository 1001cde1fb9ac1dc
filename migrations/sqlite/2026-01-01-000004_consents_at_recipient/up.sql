CREATE TABLE held_consents (
  id                       BLOB   NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  origin                   TEXT   NOT NULL CHECK (origin IN ('pushed', 'portal')),
  service                  TEXT   NOT NULL,
  holder                   TEXT   NOT NULL,
  detail                   TEXT   NOT NULL, -- JSON: the authorization_details entry as asked, then as allowed
  case_reference           BLOB,            -- sealed
  expected_person          BLOB,            -- sealed
  return_url               TEXT,
  state                    TEXT   NOT NULL CHECK (state IN
                             ('requested', 'given', 'active', 'declined', 'lapsed', 'failed', 'ended')),
  reason                   TEXT,            -- a stable word
  grant_id                 TEXT,
  access_token             BLOB,            -- sealed
  access_expires_at        INTEGER,
  refresh_token            BLOB,            -- sealed
  dpop_kid                 TEXT   REFERENCES signing_keys (kid), -- the key that the token is bound to
  oauth_state_hash         BLOB   UNIQUE,   -- keyed hash
  code_verifier            BLOB,            -- sealed
  browser_binding_hash     BLOB,            -- keyed hash
  authorization_expires_at INTEGER,
  created_at               INTEGER NOT NULL,
  updated_at               INTEGER NOT NULL,
  UNIQUE (holder, grant_id),
  CHECK ((state = 'active') = (access_token IS NOT NULL)),
  CHECK ((access_token IS NULL) = (access_expires_at IS NULL)),
  CHECK ((access_token IS NULL) = (dpop_kid IS NULL))
) STRICT;
CREATE INDEX held_consents_service ON held_consents (service, created_at);
CREATE TABLE fetches (
  seq         INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
  held        BLOB   NOT NULL REFERENCES held_consents (id),
  at          INTEGER NOT NULL,
  outcome     TEXT   NOT NULL,              -- a stable word
  receipt     TEXT,
  body_digest TEXT
) STRICT;
CREATE INDEX fetches_held ON fetches (held, seq);
