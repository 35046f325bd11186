-- Which figures of change were looked at in the day's extracts?
-- params:  day date
-- returns: extract_id, figure, value, bound, exceeded
-- locks:   none
SELECT figure.extract_id, figure.figure, figure.value, figure.bound, figure.exceeded
FROM emergency.change_figure AS figure
INNER JOIN emergency.extract ON extract.extract_id = figure.extract_id
WHERE cast(extract.arrived_at AT TIME ZONE 'Europe/London' AS date) = :day OR extract.state = 'waiting'
ORDER BY figure.extract_id, figure.figure
