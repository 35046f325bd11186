-- Note a file that came, unless the very same was taken in before.
-- params:  sha256 text, file_name text, layout text, provider text, sequence bigint, extract_type text, business_date date, generated_at timestamptz, records bigint, state text, arrived_at timestamptz
-- returns: one row (extract_id) if it is new, else none
-- locks:   the new row
INSERT INTO emergency.extract (
    sha256, file_name, layout, provider, sequence, extract_type, business_date, generated_at, records, state, arrived_at
)
VALUES (
    :sha256, :file_name, :layout, :provider, :sequence, :extract_type, :business_date, :generated_at, :records, :state,
    :arrived_at
)
ON CONFLICT (sha256) WHERE state NOT IN ('refused', 'declined') DO NOTHING
RETURNING extract_id
