-- What did a person decide about this plan of this run?
-- params:  run_id bigint, plan_digest text
-- returns: one row (decision, decided_by), or none
-- locks:   none
SELECT decision, decided_by FROM holdfast.approval WHERE run_id = :run_id AND plan_digest = :plan_digest
