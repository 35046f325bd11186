-- What did a person decide on a file?
-- params:  sha256 text
-- returns: one row (decision), or none
-- locks:   none
SELECT decision FROM emergency.approval WHERE sha256 = :sha256
