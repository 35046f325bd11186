-- Which intents were followed by nothing that says what came of them?
-- params:  before timestamptz
-- returns: rows (seq, run_id, job, night)
-- locks:   none
SELECT
    intent.seq,
    intent.run_id,
    run.job,
    run.as_of_date AS night
FROM holdfast.ledger_entry AS intent
INNER JOIN holdfast.run ON run.run_id = intent.run_id
WHERE
    intent.kind = 'file_batch_intended'
    AND intent.at < :before
    AND run.state NOT IN ('verified', 'sealed') -- then nothing due was left, so what was intended was done
    AND NOT EXISTS ( -- in this run, or in a later one that took its work over
        SELECT
        FROM holdfast.ledger_entry AS outcome
        WHERE
            outcome.seq > intent.seq
            AND outcome.kind IN ('batch_deleted', 'batch_anonymised')
            AND cast(outcome.entry AS jsonb) -> 'facts' ->> 'rule' = cast(intent.entry AS jsonb) -> 'facts' ->> 'rule'
    )
ORDER BY intent.seq
