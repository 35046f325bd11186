-- How many transactions ago was the oldest one that a snapshot could not see?
-- params:  snapshot text
-- returns: one row (horizon): a row version with age(xmin) up to this was written since, or just before
-- locks:   none
SELECT
    age(
        cast(
            cast(mod(cast(cast(pg_snapshot_xmin(cast(:snapshot AS pg_snapshot)) AS text) AS bigint), 4294967296) AS text)
            AS xid
        )
    ) AS horizon
