-- By which figures do the extracts that wait exceed their bounds?
-- params:  none
-- returns: extract_id, figure, value, bound
-- locks:   none
SELECT figure.extract_id, figure.figure, figure.value, figure.bound
FROM emergency.change_figure AS figure
INNER JOIN emergency.extract ON extract.extract_id = figure.extract_id
WHERE
    extract.state = 'waiting' AND figure.exceeded
    AND NOT EXISTS (SELECT FROM emergency.approval WHERE approval.sha256 = extract.sha256)
ORDER BY figure.extract_id, figure.figure
