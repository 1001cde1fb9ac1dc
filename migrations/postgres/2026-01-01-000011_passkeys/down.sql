DROP TABLE passkeys;
ALTER TABLE consents DROP COLUMN passkey;
ALTER TABLE consents DROP COLUMN identifier_hash;
ALTER TABLE consents DROP COLUMN stated_auth_time;
ALTER TABLE held_consents DROP COLUMN asked_max_age;
ALTER TABLE held_consents DROP COLUMN asked_acr;
ALTER TABLE consent_requests DROP COLUMN asked_max_age;
ALTER TABLE consent_requests DROP COLUMN asked_acr;
