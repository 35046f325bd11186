-- Which numbers are in the inventory? At most 20,000, for there are no more that belong to nobody.
-- Numbers up to 200 are those of the cases. The others are available until they are assigned.
-- params: accounts bigint
-- returns: the number of rows made
-- locks: the new rows of provider.number
INSERT INTO provider.number (number_id, e164, status)
SELECT n, provider.synthetic_number(n - 1), 'available'
FROM generate_series(1, 200 + least(19800, cast(:accounts AS bigint) * 3 / 2)) AS n
