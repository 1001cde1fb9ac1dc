-- When a pending key begins to sign: set by the process that publishes it, for whoever must have seen it by then.
ALTER TABLE signing_keys ADD COLUMN activates_at INTEGER;
-- From when on somebody else may have signed with a key that was revoked as compromised.
ALTER TABLE signing_keys ADD COLUMN compromised_since INTEGER;
CREATE UNIQUE INDEX signing_keys_one_pending ON signing_keys (purpose) WHERE state = 'pending';
-- Counts the changes of signing_keys, so that a process sees at one glance whether it must read them again.
INSERT INTO counters (name, next_value) VALUES ('key_version', 0);
-- The DPoP key that the code of a pending authorization is bound to.
ALTER TABLE held_consents ADD COLUMN authorization_dpop_kid TEXT;
