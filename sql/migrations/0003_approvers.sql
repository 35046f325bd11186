-- The policy names who may approve a plan; the answer of anybody else is an entry of its own.
INSERT INTO holdfast.ledger_kind (kind, meaning) VALUES
('approval_unauthorised', 'An answer about the plan came from somebody whom the policy does not name; it counts for nothing');
