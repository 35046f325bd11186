-- Record a response, unless it was read before.
-- params:  sha256 text, file_name text, provider text, sequence bigint, answered_at timestamptz, at timestamptz, outcome text, accepted bigint, accepted_first bigint, rejected bigint, rejected_first bigint, unmatched bigint
-- returns: one row (sha256) if it is new, else none
-- locks:   the new row
INSERT INTO emergency.response (
    sha256, file_name, provider, sequence, answered_at, read_at, outcome, accepted, accepted_first, rejected,
    rejected_first, unmatched
)
VALUES (
    :sha256, :file_name, :provider, :sequence, :answered_at, :at, :outcome, :accepted, :accepted_first, :rejected,
    :rejected_first, :unmatched
)
ON CONFLICT (sha256) DO NOTHING
RETURNING sha256
