DROP TABLE fetches;
DROP TABLE held_consents;
