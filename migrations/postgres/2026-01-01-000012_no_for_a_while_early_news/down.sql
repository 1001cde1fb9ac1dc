DROP TABLE early_news;
-- What stood for a while would stand for good without its end.
DELETE FROM standing_denials WHERE until_at IS NOT NULL;
ALTER TABLE standing_denials DROP COLUMN until_at;
