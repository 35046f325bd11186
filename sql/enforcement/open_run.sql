-- Start a run, unless this run key has started before.
-- params:  job text, as_of timestamptz, as_of_date date, mode text, policy_digest text, edition integer, refused_sources text[]
-- returns: one row (run_id) if it is new, else none
-- locks:   the new row
INSERT INTO holdfast.run (job, as_of, as_of_date, mode, policy_digest, edition, state, refused_sources)
VALUES (:job, :as_of, :as_of_date, :mode, :policy_digest, :edition, 'open', cast(:refused_sources AS text []))
ON CONFLICT (job, as_of_date, mode, policy_digest, edition) DO NOTHING
RETURNING run_id
