-- What the compliance pages add to the ledger: who looked at somebody's data, at what, and why.
-- Decision: docs/decisions/0014-pages.md.

INSERT INTO holdfast.ledger_kind (kind, meaning) VALUES
('personal_data_looked_up', 'A person looked at a record with personal data on a compliance page, for this reason');
