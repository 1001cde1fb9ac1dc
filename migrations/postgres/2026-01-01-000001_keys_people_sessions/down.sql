DROP TABLE sessions;
DROP TABLE persons;
DROP TABLE signing_keys;
DROP TABLE counters;
DROP TABLE key_checks;
