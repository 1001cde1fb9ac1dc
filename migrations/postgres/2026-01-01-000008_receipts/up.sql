-- What a holder signed about a decision and every change since, for the resident. A declined request has one too.
CREATE TABLE consent_receipts (
  id      BYTEA  PRIMARY KEY CHECK (octet_length(id) = 16),
  consent BYTEA  NOT NULL,              -- the consent, or the declined request under its own number
  person  BYTEA  NOT NULL REFERENCES persons (id),
  version BIGINT NOT NULL CHECK (version >= 1),
  change  TEXT   NOT NULL,
  at      BIGINT NOT NULL,
  log_idx BIGINT NOT NULL UNIQUE REFERENCES log_entries (idx),
  receipt BYTEA  NOT NULL,              -- sealed: a compact JWS
  UNIQUE (consent, version)
);
CREATE INDEX consent_receipts_person ON consent_receipts (person, at);
