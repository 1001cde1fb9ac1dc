-- From which configured keys an anchor was followed, as a digest: when the operator names others, what was followed is forgotten.
ALTER TABLE anchor_pins ADD COLUMN followed_from TEXT;
