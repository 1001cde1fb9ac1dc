-- The keys to which an anchor was followed, and from which configured ones, as a digest: when the operator names others,
-- what was followed is forgotten.
CREATE TABLE anchor_pins (
  entity_id     TEXT NOT NULL PRIMARY KEY,
  jwks          TEXT NOT NULL,
  followed_from TEXT NOT NULL,
  changed_at    BIGINT NOT NULL
);
-- Whom a trust anchor or intermediate vouches for.
CREATE TABLE federation_members (
  entity_id    TEXT NOT NULL PRIMARY KEY,
  state        TEXT NOT NULL CHECK (state IN ('active', 'suspended', 'removed')),
  state_by     TEXT NOT NULL CHECK (state_by IN ('file', 'command')),
  jwks         TEXT,             -- its federation keys; absent until the first contact (demo profile)
  roles        TEXT NOT NULL,    -- JSON list: which trust marks it gets
  rules        TEXT NOT NULL,    -- JSON: what statements about it say beside its keys
  declared     TEXT,             -- what a file said about it when it was applied last
  entity_types TEXT NOT NULL,    -- JSON list, as its own configuration said last
  intermediate BIGINT NOT NULL, -- 1 when it has members of its own
  reason       TEXT,
  added_at     BIGINT NOT NULL,
  changed_at   BIGINT NOT NULL,
  seen_at      BIGINT           -- when the newest configuration that was followed had been issued
);
-- Every change of a membership; never altered.
CREATE TABLE federation_member_changes (
  entity_id TEXT NOT NULL,
  number    BIGINT NOT NULL, -- counted from 1 for each member
  at        BIGINT NOT NULL,
  change    TEXT NOT NULL,
  actor     TEXT NOT NULL,
  reason    TEXT,
  PRIMARY KEY (entity_id, number)
);
-- Trust marks that were given, to tell their status.
CREATE TABLE issued_trust_marks (
  digest     BYTEA NOT NULL PRIMARY KEY CHECK (octet_length(digest) = 32),
  entity_id  TEXT NOT NULL,
  mark_type  TEXT NOT NULL,
  mark       TEXT NOT NULL,
  kid        TEXT NOT NULL, -- the key that signed it
  issued_at  BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  revoked_at BIGINT
);
CREATE INDEX issued_trust_marks_subject ON issued_trust_marks (entity_id, mark_type);
CREATE INDEX issued_trust_marks_expires ON issued_trust_marks (expires_at);
-- Trust marks that this node was given, to publish.
CREATE TABLE own_trust_marks (
  mark_type  TEXT NOT NULL PRIMARY KEY,
  mark       TEXT NOT NULL,
  expires_at BIGINT NOT NULL
);
