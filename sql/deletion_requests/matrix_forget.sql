-- Forget the matrix of a night, and the count after its work but for what letters will tell that are not written yet: a
-- letter says what the night left that decided its request.
-- params:  run_id bigint, now timestamptz
-- returns: one row (decisions bigint, counted bigint: rows forgotten of the matrix and of the count after the work,
--          kept bigint: rows of that count which are still needed)
-- locks:   the rows of that night
WITH owed AS MATERIALIZED (
    SELECT decided.request_id
    FROM holdfast.request_transition AS decided
    INNER JOIN holdfast.deletion_request AS request ON decided.request_id = request.request_id
    WHERE
        decided.run_id = :run_id
        AND request.letters_ended IS NULL
        AND decided.to_state IN ('partly_completed', 'completed')
        AND NOT EXISTS (
            SELECT
            FROM holdfast.request_letter AS letter
            WHERE letter.request_id = decided.request_id AND letter.kind = 'outcome'
        )
),

decision AS (
    DELETE FROM holdfast.request_decision WHERE run_id = :run_id RETURNING 1
),

after AS (
    DELETE FROM holdfast.request_after
    WHERE run_id = :run_id AND request_id NOT IN (SELECT owed.request_id FROM owed)
    RETURNING 1
),

counted AS (
    SELECT
        (SELECT count(*) FROM decision) AS decisions,
        (SELECT count(*) FROM after) AS counted,
        (
            SELECT count(*)
            FROM holdfast.request_after AS still
            WHERE still.run_id = :run_id AND still.request_id IN (SELECT owed.request_id FROM owed)
        ) AS kept
),

noted AS (
    INSERT INTO holdfast.request_night AS night (run_id, matrix_forgotten_at, kept_rows)
    SELECT :run_id, cast(:now AS timestamptz), kept FROM counted
    ON CONFLICT (run_id) DO UPDATE
        SET
            matrix_forgotten_at = coalesce(night.matrix_forgotten_at, excluded.matrix_forgotten_at),
            kept_rows = excluded.kept_rows
    RETURNING kept_rows
)

SELECT counted.decisions, counted.counted, noted.kept_rows AS kept
FROM counted
CROSS JOIN noted
