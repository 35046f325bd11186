-- Which calls were recorded? One for each tenth account, with the address of its file.
-- params: objects text, seed bigint
-- returns: the number of rows made
-- locks: the new rows of provider.call_recording
INSERT INTO provider.call_recording (recording_id, account_id, call_id, recorded_at, duration_seconds, file_url)
WITH rows_to_make AS (
    SELECT case_no AS n, account_id, starts AS recorded_at FROM synthetic_case WHERE dataset = 'call_recordings'
    UNION ALL
    SELECT
        account.account_id, account.account_id,
        CASE
            WHEN provider.synthetic_draw(account.account_id, 'recording not recorded', :seed) % 400 > 0
                THEN reach.until - provider.synthetic_share(account.account_id, 'recording', :seed) * reach.span
        END
    FROM provider.account CROSS JOIN synthetic_window AS reach
    WHERE
        account.account_id > 1000 AND account.status <> 'closed' AND reach.dataset = 'call_recordings'
        AND provider.synthetic_draw(account.account_id, 'recorded', :seed) % 8 = 0
)

SELECT
    named.recording_id, made.account_id, made.n, made.recorded_at, 30 + made.n % 600,
    cast(:objects AS text) || '/recordings/' || left(cast(named.recording_id AS text), 2) || '/'
    || named.recording_id || '.wav'
FROM rows_to_make AS made
CROSS JOIN LATERAL (SELECT provider.synthetic_uuid(made.n, 'call_recordings', :seed) AS recording_id) AS named
