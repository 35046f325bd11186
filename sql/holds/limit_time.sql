-- Let no statement of this transaction run for longer than this.
-- params:  limit text
-- returns: one row (the limit)
-- locks:   none
SELECT set_config('statement_timeout', :limit, TRUE)
