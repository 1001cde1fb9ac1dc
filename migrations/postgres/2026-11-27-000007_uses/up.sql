-- When each system last reported uses of residents' data.
CREATE TABLE use_reports (
  source  TEXT NOT NULL PRIMARY KEY, -- a service of the record of processing
  last_at BIGINT NOT NULL
);
-- Uses of residents' data, as the city's systems reported them.
CREATE TABLE reported_uses (
  seq           BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id            BYTEA NOT NULL UNIQUE CHECK (octet_length(id) = 16),
  person_hash   BYTEA NOT NULL,        -- keyed hash of the person's identifier: they may never have logged in
  event_hash    BYTEA NOT NULL UNIQUE, -- keyed hash of the reporter and its own identifier of the event
  content_hash  BYTEA NOT NULL,        -- keyed hash of what was reported
  source        TEXT NOT NULL,
  activity      TEXT NOT NULL,
  description   BYTEA NOT NULL,        -- sealed
  used_from     BIGINT NOT NULL,
  used_to       BIGINT NOT NULL CHECK (used_to >= used_from),
  reported_at   BIGINT NOT NULL,
  hidden_until  BIGINT,
  hidden_reason TEXT,
  expires_at    BIGINT NOT NULL
);
CREATE INDEX reported_uses_person ON reported_uses (person_hash, used_to, seq);
CREATE INDEX reported_uses_expires ON reported_uses (expires_at);
-- Proposals to withhold a use from its person for a time. The log has every step.
CREATE TABLE use_hidings (
  id           BYTEA NOT NULL PRIMARY KEY CHECK (octet_length(id) = 16),
  reported_use BYTEA NOT NULL REFERENCES reported_uses (id) ON DELETE CASCADE,
  reason       TEXT NOT NULL,
  until_at     BIGINT NOT NULL,
  proposed_by  TEXT NOT NULL,
  proposed_at  BIGINT NOT NULL,
  confirmed_by TEXT CHECK (confirmed_by <> proposed_by),
  confirmed_at BIGINT
);
CREATE INDEX use_hidings_use ON use_hidings (reported_use);
CREATE INDEX use_hidings_open ON use_hidings (proposed_at) WHERE confirmed_at IS NULL;
-- Residents' objections to uses (GDPR article 21).
CREATE TABLE use_objections (
  id          BYTEA NOT NULL PRIMARY KEY CHECK (octet_length(id) = 16),
  person      BYTEA NOT NULL REFERENCES persons (id),
  activity    TEXT NOT NULL,
  statement   BYTEA,           -- sealed
  made_at     BIGINT NOT NULL,
  answer      TEXT,
  answered_at BIGINT
);
CREATE UNIQUE INDEX use_objections_open ON use_objections (person, activity) WHERE answered_at IS NULL;
CREATE INDEX use_objections_made ON use_objections (made_at);
CREATE INDEX use_objections_unanswered ON use_objections (made_at) WHERE answered_at IS NULL;
CREATE INDEX use_objections_person ON use_objections (person, made_at);
CREATE INDEX use_objections_answered ON use_objections (answered_at) WHERE answered_at IS NOT NULL;
