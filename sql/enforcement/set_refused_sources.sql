-- Note which hold sources are not believed in this run.
-- params:  run_id bigint, sources text[]
-- returns: none
-- locks:   the run's row
UPDATE holdfast.run SET refused_sources = cast(:sources AS text []) WHERE run_id = :run_id
