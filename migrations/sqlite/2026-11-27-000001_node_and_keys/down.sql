DROP TABLE signing_keys;
DROP TABLE counters;
DROP TABLE key_checks;
DROP TABLE node_identity;
