-- Leave out the lines that the database has: it was not restored to before them.
-- params:  none
-- returns: nothing
-- locks:   none but the temporary rows
DELETE FROM replay_line AS line
USING holdfast.erasure AS known, holdfast.deletion_request AS request
WHERE
    request.reference = line.reference
    AND known.request_id = request.request_id
    AND known.dataset = line.dataset
    AND known.erased_at = line.erased_at
