ALTER TABLE held_consents DROP COLUMN authorization_dpop_kid;
DELETE FROM counters WHERE name = 'key_version';
DROP INDEX signing_keys_one_pending;
ALTER TABLE signing_keys DROP COLUMN compromised_since;
ALTER TABLE signing_keys DROP COLUMN activates_at;
