-- Is this letter still to be written? Asked once the request is locked, and in a statement of its own: the one that waited
-- for the lock would not see what was written meanwhile.
-- params:  request_id bigint, kind text
-- returns: one row (is_owed boolean)
-- locks:   none
SELECT
    NOT EXISTS (
        SELECT FROM holdfast.request_letter WHERE request_id = :request_id AND kind = :kind
    ) AS is_owed
