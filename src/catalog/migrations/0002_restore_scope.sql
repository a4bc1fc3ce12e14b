-- What a restore takes from its snapshot (JSON; empty: all of it, in place of all that the target holds), and what one
-- that compares found. NULL counts: it did not compare.
ALTER TABLE restores ADD COLUMN scope TEXT NOT NULL DEFAULT '';
ALTER TABLE restores ADD COLUMN left_alone INTEGER;
ALTER TABLE restores ADD COLUMN replaced INTEGER;
ALTER TABLE restores ADD COLUMN inserted INTEGER;
ALTER TABLE restores ADD COLUMN deleted INTEGER;
ALTER TABLE restores ADD COLUMN notes TEXT NOT NULL DEFAULT '';
