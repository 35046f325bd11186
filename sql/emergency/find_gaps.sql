-- Where do the authority's records and the number inventory disagree, both ways?
-- E501 a live number that can call 999 has no record · E502 a record of a number that is not live · D601 the name is
-- another one · D602 the address is another one · D603 the record has the billing address, and the installation another
-- · E604 the customer was erased and the record is still there · W605 a record of a number that is not in the inventory
-- · W503 the address was not checked with the customer since verified_since, or on a day that has not come yet
-- params:  provider text, verified_since date, day date
-- returns: the number of gaps, which are then in pg_temp.gap_found
-- locks:   none
INSERT INTO pg_temp.gap_found (provider, number, rule_id)
WITH both_sides AS (
    SELECT
        coalesce(inventory.number, record.number) AS number,
        inventory.number IS NOT NULL AS is_known,
        coalesce(inventory.is_live, FALSE) AS is_live,
        coalesce(inventory.is_live AND inventory.calls_999 AND NOT inventory.erased, FALSE) AS needs,
        coalesce(inventory.erased, FALSE) AS erased,
        coalesce(record.state IN ('pending', 'registered'), FALSE) AS covered,
        coalesce(record.state IN ('pending', 'registered', 'failed'), FALSE) AS there,
        record.name_digest <> inventory.name_digest AS other_name,
        record.address_digest <> inventory.address_digest AS other_address,
        record.house_digest = inventory.billing_digest
        AND inventory.billing_digest <> inventory.house_digest AS at_billing,
        inventory.address_digest IS NOT NULL
        AND coalesce(inventory.verified_on NOT BETWEEN :verified_since AND :day, TRUE) AS unchecked
    FROM (SELECT * FROM emergency.inventory WHERE provider = :provider) AS inventory
    FULL JOIN (SELECT * FROM emergency.number_record WHERE provider = :provider) AS record
        ON record.number = inventory.number
)

SELECT :provider, number, rule.rule_id
FROM both_sides
CROSS JOIN LATERAL (
    VALUES
    ('E501', needs AND NOT covered),
    ('E502', there AND is_known AND NOT is_live),
    ('D601', there AND needs AND other_name),
    ('D602', there AND needs AND other_address),
    ('D603', there AND needs AND at_billing),
    ('E604', there AND erased),
    ('W605', there AND NOT is_known),
    ('W503', needs AND unchecked)
) AS rule (rule_id, applies)
-- Nearly every number is right, and is not looked at seven times.
WHERE
    rule.applies
    AND NOT (
        coalesce(needs AND covered, FALSE) AND NOT coalesce(other_name OR other_address OR at_billing, FALSE)
    )
