-- Whose matrices are past their period? Nights before a day, those first that nothing was forgotten of yet; then those of
-- which something had to be kept.
-- params:  run_id bigint, before date, at_once bigint
-- returns: at most at_once rows (run_id bigint, as_of_date date); never the run itself, nor one after it
-- locks:   none
SELECT run.run_id, run.as_of_date
FROM holdfast.run
LEFT JOIN holdfast.request_night AS night ON run.run_id = night.run_id
WHERE
    run.job = (SELECT mine.job FROM holdfast.run AS mine WHERE mine.run_id = :run_id)
    AND run.run_id < :run_id
    AND run.as_of_date < cast(:before AS date)
    AND (night.matrix_forgotten_at IS NULL OR night.kept_rows > 0)
ORDER BY (night.matrix_forgotten_at IS NULL) DESC, run.run_id ASC
LIMIT :at_once
