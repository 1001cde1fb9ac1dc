ALTER TABLE anchor_pins DROP COLUMN followed_from;
