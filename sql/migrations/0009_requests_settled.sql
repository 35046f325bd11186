-- Deletion requests: letters that can never be written are settled once; a day can be worked through again after a
-- restore; single records that were erased are known again by pseudonym.

ALTER TABLE holdfast.deletion_request ADD COLUMN letters_ended text CHECK (
    letters_ended IN ('no_address', 'told_before_restore')
);
COMMENT ON COLUMN holdfast.deletion_request.letters_ended IS
'Why no letter about its end is to come; NULL: one is, or was written. no_address: it was refused or withdrawn, and the '
'provider knows no address. told_before_restore: it was carried out before a restore lost it';

INSERT INTO holdfast.ledger_kind (kind, meaning) VALUES
('letter_impossible', 'Requests ended of people whose address nobody knows: no letter about it can be written');

-- A run that is sealed is never opened again. After a restore its day may need another.
ALTER TABLE holdfast.run ADD COLUMN edition integer NOT NULL DEFAULT 1 CHECK (edition >= 1);
COMMENT ON COLUMN holdfast.run.edition IS '1: the night itself; 2 and more: asked for after a restore, once that was sealed';
ALTER TABLE holdfast.run DROP CONSTRAINT run_job_as_of_date_mode_policy_digest_key;
ALTER TABLE holdfast.run ADD UNIQUE (job, as_of_date, mode, policy_digest, edition);
COMMENT ON TABLE holdfast.run IS
'One row for each job, day, mode, policy version and edition: the run key. A retry is the same run.';
