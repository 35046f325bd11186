-- Accept that a number breaks a rule, until a day.
-- params:  rule_id text, provider text, number text, reason text, owner text, accepted_on date, last_day date
-- returns: one row (exception_id)
-- locks:   the new row
INSERT INTO emergency.exception (rule_id, provider, number, reason, owner, accepted_on, last_day)
VALUES (:rule_id, :provider, :number, :reason, :owner, :accepted_on, :last_day)
RETURNING exception_id
