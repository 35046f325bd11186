-- Objects of a store that no row knows of, as each night counted them (docs/decisions/0019-objects-without-rows.md).

CREATE TABLE holdfast.object_count (
    run_id bigint NOT NULL REFERENCES holdfast.run,
    dataset text NOT NULL,
    objects bigint,                       -- all in the folders of the dataset
    without_row bigint,                   -- of these, older than a day and known to no row of any dataset
    unknown_because text,                 -- a code: why the folders could not be listed to their end, or not believed
    counted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (run_id, dataset),
    CHECK (num_nulls(objects, without_row) = CASE WHEN unknown_because IS NULL THEN 0 ELSE 2 END)
);
COMMENT ON TABLE holdfast.object_count IS 'Objects without a row, by run and dataset; NULL is unknown, not zero.';

INSERT INTO holdfast.ledger_kind (kind, meaning) VALUES
('objects_counted', 'The objects of a dataset that no row knows of were counted, or nobody could say');
