-- Why each change of a consent was made, and which consent took whose place.
ALTER TABLE consents ADD COLUMN reason TEXT;            -- of the last change, a stable word; older rows: by their state
ALTER TABLE consents ADD COLUMN replaces BYTEA;
ALTER TABLE consents ADD COLUMN replaced_by BYTEA;
ALTER TABLE consent_events ADD COLUMN reason TEXT;
-- A request may be about a consent that is there already, or be refused by what the resident decided for good.
ALTER TABLE consent_requests ADD COLUMN action TEXT CHECK (action IN ('replace', 'merge'));
ALTER TABLE consent_requests ADD COLUMN replaces BYTEA;
ALTER TABLE consent_requests ADD COLUMN denied_by TEXT CHECK (denied_by IN ('partner', 'use', 'dataset'));
-- The recipient's side: held back, the holder's last word, and what a new request is to replace.
ALTER TABLE held_consents ADD COLUMN suspended_at BIGINT;   -- while its state says active
ALTER TABLE held_consents ADD COLUMN sequence BIGINT NOT NULL DEFAULT 0;
ALTER TABLE held_consents ADD COLUMN commitment TEXT;
ALTER TABLE held_consents ADD COLUMN action TEXT CHECK (action IN ('replace', 'merge'));
ALTER TABLE held_consents ADD COLUMN replaces BYTEA;
-- What a resident has refused for good: requests that match are not put before them.
CREATE TABLE standing_denials (
  id         BYTEA NOT NULL PRIMARY KEY CHECK (octet_length(id) = 16),
  person     BYTEA NOT NULL REFERENCES persons (id),
  kind       TEXT NOT NULL CHECK (kind IN ('partner', 'use', 'dataset')),
  target     TEXT NOT NULL,
  name       TEXT NOT NULL,               -- JSON, in three languages, as it was called then
  created_at BIGINT NOT NULL,
  UNIQUE (person, kind, target)
);
