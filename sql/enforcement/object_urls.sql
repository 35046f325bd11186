-- Where the addresses of rows that stand for files are noted, while stores are listed. Gone with the session.
-- params:  none
-- returns: nothing
-- locks:   none
CREATE TEMPORARY TABLE object_url (dataset text, url text)
