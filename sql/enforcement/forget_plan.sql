-- Remove a run's earlier plan, which nothing was done by.
-- params:  run_id bigint
-- returns: none
-- locks:   the plan's rows
WITH
held AS (DELETE FROM holdfast.plan_held WHERE run_id = :run_id),
forecast AS (DELETE FROM holdfast.plan_forecast WHERE run_id = :run_id),
counts AS (DELETE FROM holdfast.dataset_count WHERE run_id = :run_id)

DELETE FROM holdfast.plan_rule WHERE run_id = :run_id
