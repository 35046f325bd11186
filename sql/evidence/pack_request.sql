-- What became of a deletion request, as far as the person may be told, without who it is about and without staff's names?
-- params:  request_id bigint
-- returns: one row (request); none if there is no such request
-- locks:   none
SELECT
    jsonb_build_object(
        'request', to_jsonb(request) - '{reference,subject_key,first_approved_by,second_approved_by}'::text [],
        'moves', (
            SELECT
                coalesce(jsonb_agg(to_jsonb(move) - '{by_whom,request_id}'::text [] ORDER BY move.transition_id), '[]')
            FROM holdfast.request_transition AS move
            WHERE move.request_id = request.request_id
        ),
        'gone', (
            SELECT coalesce(jsonb_agg(to_jsonb(gone) - 'request_id' ORDER BY gone.run_id, gone.dataset), '[]')
            FROM holdfast.request_told_gone AS gone
            WHERE gone.request_id = request.request_id
        ),
        'letters', (
            SELECT
                coalesce(
                    jsonb_agg(to_jsonb(letter) - '{file_name,request_id}'::text [] ORDER BY letter.letter_id), '[]'
                )
            FROM holdfast.request_letter AS letter
            WHERE letter.request_id = request.request_id
        ),
        'notices', (
            SELECT coalesce(jsonb_agg(to_jsonb(notice) - 'request_id' ORDER BY notice.notice_id), '[]')
            FROM holdfast.recipient_notice AS notice
            WHERE notice.request_id = request.request_id
        )
    ) AS request
FROM holdfast.deletion_request AS request
WHERE request.request_id = :request_id
