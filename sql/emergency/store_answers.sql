-- Put the lines of a response where they can be matched.
-- params:  line_nos bigint[], numbers text[], are_accepted boolean[], codes text[]
-- returns: the number of lines
-- locks:   none that others see
INSERT INTO pg_temp.answer (line_no, number, is_accepted, code)
SELECT one.line_no, one.number, one.is_accepted, one.code
FROM unnest(
    cast(:line_nos AS bigint []), cast(:numbers AS text []), cast(:are_accepted AS boolean []), cast(:codes AS text [])
) AS one (line_no, number, is_accepted, code)
