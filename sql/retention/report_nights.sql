-- Which nights before this one had a run that was to enforce, and which of them were sealed?
-- params:  run_id bigint
-- returns: one row for each day with a run (as_of_date, is_sealed), oldest first
-- locks:   none
SELECT
    night.as_of_date,
    bool_or(night.state = 'sealed') AS is_sealed
FROM holdfast.run AS this
INNER JOIN holdfast.run AS night ON night.job = this.job AND night.as_of_date < this.as_of_date
WHERE this.run_id = :run_id AND night.mode = 'enforce'
GROUP BY night.as_of_date
ORDER BY night.as_of_date
