-- Forget by when addresses had to be checked, so that it can be reckoned anew.
-- params:  provider text
-- returns: the number of months
-- locks:   the removed rows
DELETE FROM emergency.audit_due WHERE provider = :provider
