-- Where the objects of a store wait to be compared with rows. Gone with the session.
-- params:  none
-- returns: nothing
-- locks:   none
CREATE TEMPORARY TABLE object_listed (dataset text, address bytea, modified timestamptz)
