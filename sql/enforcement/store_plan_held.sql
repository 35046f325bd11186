-- Store how many rows of a rule one hold type keeps.
-- params:  run_id bigint, rule_id text, hold_type text, authority text, disclosable boolean, held_rows bigint, held_until date, holds bigint
-- returns: none
-- locks:   the new row
INSERT INTO holdfast.plan_held (run_id, rule_id, hold_type, authority, disclosable, held_rows, held_until, holds)
VALUES (:run_id, :rule_id, :hold_type, :authority, :disclosable, :held_rows, :held_until, :holds)
