DROP TABLE pending_events;
DROP TABLE deletions;
DROP TABLE fetches;
DROP TABLE held_consents;
