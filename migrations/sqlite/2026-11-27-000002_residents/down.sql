DROP TABLE sessions;
DROP TABLE passkeys;
DROP TABLE persons;
