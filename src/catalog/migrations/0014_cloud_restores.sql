-- What the key that asked for a restore needs on the target's project (domain::Permission; 2: Project Owner, as all did
-- before), and when a download was taken back.
ALTER TABLE restores ADD COLUMN target_right INTEGER NOT NULL DEFAULT 2;
ALTER TABLE restores ADD COLUMN cancelled INTEGER;

-- Days that a snapshot was asked to be kept for, counted from its completion. NULL: `expires` says it all.
ALTER TABLE snapshots ADD COLUMN retention_days INTEGER;
