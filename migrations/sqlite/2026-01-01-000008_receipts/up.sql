-- What a holder signed about a decision and every change since, for the resident. A declined request has one too.
CREATE TABLE consent_receipts (
  id      BLOB   NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  consent BLOB   NOT NULL,              -- the consent, or the declined request under its own number
  person  BLOB   NOT NULL REFERENCES persons (id),
  version INTEGER NOT NULL CHECK (version >= 1),
  change  TEXT   NOT NULL,
  at      INTEGER NOT NULL,
  log_idx INTEGER NOT NULL UNIQUE REFERENCES log_entries (idx),
  receipt BLOB   NOT NULL,              -- sealed: a compact JWS
  UNIQUE (consent, version)
) STRICT;
CREATE INDEX consent_receipts_person ON consent_receipts (person, at);
