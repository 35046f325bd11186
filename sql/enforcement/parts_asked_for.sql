-- Of which datasets do open requests ask for single categories alone, and which?
-- params:  none
-- returns: dataset text, category text, each pair once
-- locks:   none
SELECT DISTINCT scope.dataset, one.category
FROM holdfast.erasure_scope AS scope
CROSS JOIN LATERAL unnest(scope.categories) AS one (category)
ORDER BY scope.dataset, one.category
