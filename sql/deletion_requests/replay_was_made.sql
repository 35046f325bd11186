-- Did this run look for what came back?
-- params:  run_id bigint
-- returns: one row (was_made boolean)
-- locks:   none
SELECT
    EXISTS (SELECT FROM holdfast.ledger_entry WHERE run_id = :run_id AND kind = 'replay_started') AS was_made
