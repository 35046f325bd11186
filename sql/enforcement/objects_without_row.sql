-- Which objects that were listed has no row, however its address is spelt?
-- Addresses are the same if they are without their scheme (file:, s3:, s3a:) and with each run of slashes as one, and if
-- they are so once the row's is read in percent notation. They are compared as bytes, in an old file's name not always
-- UTF-8. This may find a row for an object that has none, and never the other way round by a spelling listed here.
-- params:  none
-- returns: one row for each (dataset text, address bytea, modified timestamptz)
-- locks:   none
WITH known AS (
    SELECT convert_to(url, 'UTF8') AS address FROM object_url
    UNION ALL
    SELECT
        (
            SELECT
                string_agg(
                    CASE
                        WHEN found.piece[1] IS NULL THEN convert_to(found.piece[2], 'UTF8')
                        ELSE decode(found.piece[1], 'hex')
                    END,
                    cast('' AS bytea) ORDER BY found.place
                )
            FROM regexp_matches(url, '%([0-9A-Fa-f]{2})|(%|[^%]+)', 'g') WITH ORDINALITY AS found (piece, place)
        )
    FROM object_url
    WHERE strpos(url, '%') > 0
),

named AS (
    SELECT
        regexp_replace(
            regexp_replace(encode(address, 'escape'), '^[A-Za-z][A-Za-z0-9+.-]*:', ''), '/+', '/', 'g'
        ) AS name
    FROM known
)

SELECT
    dataset,
    address,
    modified
FROM object_listed
WHERE
    NOT EXISTS (
        SELECT
        FROM named
        WHERE
            named.name = regexp_replace(
                regexp_replace(encode(object_listed.address, 'escape'), '^[A-Za-z][A-Za-z0-9+.-]*:', ''), '/+', '/', 'g'
            )
    )
