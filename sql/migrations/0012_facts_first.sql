-- Facts are taken in one way alone, and it is known up to where, so that no row goes before its facts.

-- What erasures used to take fed no figure: statistics.decision and what belongs to it took its place.
DROP TABLE holdfast.suspension_fact;
DROP TABLE holdfast.statistics_month;

CREATE TABLE statistics.taking (
    taking_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    taken_at timestamptz NOT NULL,
    seen_in pg_snapshot NOT NULL,         -- row versions that this could see have had their facts taken
    taken_xid xid8 NOT NULL DEFAULT pg_current_xact_id()
);
COMMENT ON TABLE statistics.taking IS
'When the facts of all subjects were taken. Rows written since are not deleted where the data map says facts_first';
