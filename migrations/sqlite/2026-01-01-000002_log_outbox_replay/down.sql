DROP TABLE anchor_pins;
DROP TABLE refusals;
DROP TABLE log_entries;
DROP TABLE log_head;
DROP TABLE received_events;
DROP TABLE outbox;
DROP TABLE used_once;
