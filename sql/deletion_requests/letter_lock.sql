-- Let nobody else write a letter of this request until the transaction ends. Is this one still owed?
-- params:  request_id bigint, kind text
-- returns: one row (is_owed boolean)
-- locks:   the request's row
WITH request AS MATERIALIZED (
    SELECT request_id FROM holdfast.deletion_request WHERE request_id = :request_id FOR NO KEY UPDATE
)

SELECT
    NOT EXISTS (
        SELECT
        FROM holdfast.request_letter AS letter
        WHERE letter.request_id = request.request_id AND letter.kind = :kind
    ) AS is_owed
FROM request
