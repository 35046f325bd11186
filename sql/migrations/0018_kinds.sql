-- A meaning that did not say what the entry has: its count of requests is that of all whose rows went that night.

UPDATE holdfast.ledger_kind
SET meaning = 'What was erased in one dataset in a night, and for how many requests'
WHERE kind = 'request_erased';
