-- A plain no stands for a while; what was refused before stands for good.
ALTER TABLE standing_denials ADD COLUMN until_at INTEGER;
-- News about a consent that is not known here yet: the answer that brings it is on its way.
CREATE TABLE early_news (
  holder      TEXT NOT NULL,
  grant_id    TEXT NOT NULL,
  commitment  TEXT NOT NULL,
  sequence    INTEGER NOT NULL,
  event       TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  PRIMARY KEY (holder, grant_id, commitment, sequence)
) STRICT;
CREATE INDEX early_news_received ON early_news (received_at);
