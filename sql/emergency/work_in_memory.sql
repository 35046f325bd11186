-- Let this transaction sort and hash a large extract in memory, and look at its records in several processes.
-- A look-up that does not fit into a hash would be gone through for each record. The planner takes a rule for as cheap
-- as a comparison, and would use one process; made cheaper than this, it would use several for what a rule looks into,
-- and then none for the records.
-- params:  none
-- returns: one row: the settings, which end with the transaction
-- locks:   none
SELECT
    set_config('work_mem', '192MB', TRUE),
    set_config('hash_mem_multiplier', '8', TRUE),
    set_config('parallel_tuple_cost', '0.02', TRUE)
