DROP TABLE exchanges;
DROP TABLE refresh_tokens;
DROP TABLE issued_tokens;
DROP TABLE authorization_codes;
DROP TABLE consent_events;
DROP TABLE consents;
DROP TABLE consent_requests;
