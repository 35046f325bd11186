-- For which requests do we still ask the provider's own records for name and address? Until the request is carried out:
-- after that the contact may be gone, and whether it is may be the work of a hold which must not be disclosed. For the same
-- reason not of somebody whose contact was told as gone, at an earlier request, and is still there.
-- params:  after_request bigint, at_once bigint, datasets text[]
-- returns: request_id bigint, subject_key text, content_pseudonym text of what is kept (NULL: nothing yet), in order;
--          `datasets` are those that the provider's own query reads
-- locks:   none
SELECT request.request_id, request.subject_key, kept.content_pseudonym
FROM holdfast.deletion_request AS request
LEFT JOIN holdfast.request_addressee AS kept ON kept.request_id = request.request_id
WHERE
    request.request_id > :after_request
    AND request.state IN ('received', 'identity_pending', 'verified', 'assessed', 'approved', 'refused', 'withdrawn')
    AND kept.erased_at IS NULL
    AND request.letters_ended IS NULL
    AND NOT request.last_letter_written
    AND NOT EXISTS (
        SELECT
        FROM holdfast.deletion_request AS earlier
        INNER JOIN holdfast.request_told_gone AS gone ON gone.request_id = earlier.request_id
        WHERE
            earlier.subject_key = request.subject_key
            AND gone.dataset = any(cast(:datasets AS text []))
            AND gone.categories IS NULL
            AND gone.still_there > 0
            AND NOT EXISTS (
                SELECT
                FROM holdfast.request_told_gone AS later
                WHERE
                    later.request_id = gone.request_id
                    AND later.dataset = gone.dataset
                    AND later.run_id > gone.run_id
            )
    )
ORDER BY request.request_id
LIMIT :at_once
