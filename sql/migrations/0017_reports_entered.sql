-- Each report is fixed by an entry of the ledger before its folder is finished (docs/decisions/0005-reports.md).

INSERT INTO holdfast.ledger_kind (kind, meaning) VALUES
('report_written', 'A report was written: its name, and the digest of its SHA256SUMS');

CREATE INDEX ledger_entry_report ON holdfast.ledger_entry ((cast(entry AS jsonb) -> 'facts' ->> 'report'), seq)
WHERE kind = 'report_written';
