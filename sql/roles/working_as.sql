-- As which role do we work here?
-- params:  none
-- returns: role text; NULL with the rights of the login
-- locks:   none
SELECT nullif(current_setting('role'), 'none') AS role
