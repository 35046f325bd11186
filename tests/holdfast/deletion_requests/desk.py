"""A desk that takes requests in: the synthetic provider's tables with a few accounts, and the shipped policy."""

from __future__ import annotations

import datetime as dt
import functools
import json
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from holdfast import database, settings
from holdfast.deletion_requests import fields, receipt, register
from holdfast.deletion_requests.deadlines import Terms
from holdfast.deletion_requests.fields import Fault, NewRequest
from holdfast.deletion_requests.receipt import Taken
from holdfast.deletion_requests.register import Request, State
from holdfast.policy.load import load_policy
from holdfast.policy.model import Policy
from holdfast.policy.requests_model import RequestsPolicy, load_requests_policy

LONDON = ZoneInfo("Europe/London")
NOW = dt.datetime(2026, 9, 3, 9, 30, tzinfo=LONDON)
ACCOUNTS = 9
CLERK, OFFICER = "clerk", "officer"
CATEGORIES_THAT_STAY = ("traffic", "billing", "consent")
"""Of the shipped policy: what can be taken out of no record while that stays, written down a second time."""

ENDS = {State.REFUSED, State.WITHDRAWN}
MAY_FOLLOW = {
    State.RECEIVED: {State.IDENTITY_PENDING, State.VERIFIED} | ENDS,
    State.IDENTITY_PENDING: {State.VERIFIED} | ENDS,
    State.VERIFIED: {State.ASSESSED} | ENDS,
    State.ASSESSED: {State.APPROVED} | ENDS,
    State.APPROVED: {State.EXECUTING} | ENDS,
    State.EXECUTING: {State.PARTLY_COMPLETED, State.COMPLETED},
    State.PARTLY_COMPLETED: {State.COMPLETED},
    State.COMPLETED: {State.PARTLY_COMPLETED},
    State.REFUSED: set(),
    State.WITHDRAWN: set(),
}
"""Which states may follow which, written down a second time."""


RECORDS = """
INSERT INTO provider.support_ticket (support_ticket_id, account_id, opened_at, subject, body)
VALUES (1, 1, now(), 'a', 'b'), (2, 1, now(), 'a', 'b'), (7, 1, now(), 'a', 'b'), (5, 5, now(), 'a', 'b');
INSERT INTO provider.complaint (complaint_id, account_id, kind, received_at, summary)
VALUES (1, 1, 'service', now(), 'a');
INSERT INTO provider.message (message_id, account_id, direction, sender, recipient, segments, status, submitted_at)
VALUES (1, 1, 'out', '+447700900001', '+447700900002', 1, 'delivered', now());
INSERT INTO provider.invoice (
    invoice_id, account_id, invoice_number, usage_from, usage_to, status, net_pence, vat_pence, total_pence,
    billing_name, billing_address
) VALUES (1, 1, 'A-1', '2026-01-01', '2026-02-01', 'paid', 1, 0, 1, 'a', 'b'),
    (2, 5, 'A-2', '2026-01-01', '2026-02-01', 'paid', 1, 0, 1, 'a', 'b');
INSERT INTO provider.payment (
    payment_id, invoice_id, method_kind, paid_at, amount_pence, payer_name, processor_reference
)
VALUES (1, 1, 'card', now(), 1, 'a', 'b'), (2, 2, 'card', now(), 1, 'a', 'b');
"""
"""A few records, of the accounts 1 and 5."""


@functools.cache
def policy() -> Policy:
    return load_policy(settings.load().policy)


@functools.cache
def requests_policy() -> RequestsPolicy:
    return load_requests_policy(settings.load().policy)


def terms(**changes: object) -> Terms:
    """The shipped terms, with some of the rules changed."""
    shipped = requests_policy()
    return Terms.of(policy(), shipped.model_copy(update={"rules": shipped.rules.model_copy(update=changes)}))


@dataclass(frozen=True)
class Desk:
    """A database with accounts 1 to ACCOUNTS, and what is done at the desk."""

    engine: sa.Engine

    @property
    def terms(self) -> Terms:
        return terms()

    def receive(self, *written: dict[str, str], now: dt.datetime = NOW, by: str = CLERK) -> list[Taken | Fault]:
        """Take requests in as somebody would write them; `asked()` gives sound ones."""
        with database.transaction(self.engine) as connection:
            return receipt.receive(connection, policy(), terms(), [sound(one, now) for one in written], by=by, now=now)

    def received(self, **changes: str) -> int:
        """The number of one sound request, with some fields changed."""
        [taken] = self.receive(asked(**changes))
        assert isinstance(taken, Taken)
        return taken.request_id

    def request(self, request: int | str) -> Request:
        with database.transaction(self.engine) as connection:
            return register.get(connection, request)

    def assess(self, rows: dict[int, int]) -> int:
        """Let a night's matrix say how many rows each request would change; the run's number."""
        with database.transaction(self.engine) as connection:
            run_id = connection.execute(
                sa.text(
                    "INSERT INTO holdfast.run (job, as_of, as_of_date, mode, policy_digest, state)"
                    " SELECT 'sample', '2026-09-03', date '2000-01-01' + cast(count(*) AS integer), 'enforce', 'x',"
                    " 'open' FROM holdfast.run RETURNING run_id"
                )
            ).scalar_one()
            decision = sa.text(
                "INSERT INTO holdfast.request_decision (run_id, request_id, dataset, decision, reason, rows_found,"
                " rows_acted, rows_held, rows_exempt, told_rows)"
                " VALUES (:run, :request, :dataset, 'erase', 'rule', :n, :n, 0, 0, :n)"
            )
            for request, count in rows.items():
                for dataset, part in (("messages", count // 2), ("contacts", count - count // 2)):
                    connection.execute(decision, {"run": run_id, "request": request, "dataset": dataset, "n": part})
            return int(run_id)

    def keep_records(self) -> None:
        """A few records of the accounts 1 and 5, for requests that name one."""
        with database.transaction(self.engine) as connection:
            database.run_script(connection, RECORDS)

    def course(self, request_id: int) -> list[tuple[str, str, str]]:
        """From, to and by whom, of every change of a request's state."""
        with database.transaction(self.engine) as connection:
            return [(one.from_state, one.to_state, one.by_whom) for one in register.transitions(connection, request_id)]

    def entries(self) -> list[tuple[str, dict[str, Any]]]:
        """Kind and facts of every ledger entry, oldest first."""
        rows = self.sql("SELECT kind, entry FROM holdfast.ledger_entry ORDER BY seq")
        return [(row.kind, json.loads(row.entry)["facts"]) for row in rows]

    def sql(self, statement: str, **values: object) -> list[sa.Row[Any]]:
        with self.engine.begin() as connection:
            result = connection.execute(sa.text(statement), values)
            return list(result) if result.returns_rows else []


def asked(reference: str = "web-1", **changes: str) -> dict[str, str]:
    """A sound request for the whole of account 1, as somebody would write it."""
    return {
        "reference": reference,
        "channel": "form",
        "received_at": "2026-09-03 09:00",
        "subject_key": "1",
        "scope": "account",
        **changes,
    }


def sound(written: dict[str, str], now: dt.datetime = NOW) -> NewRequest:
    found = fields.read(written, policy(), terms(), now)
    assert isinstance(found, NewRequest), found
    return found


def make(engine: sa.Engine) -> Desk:
    """A desk in an empty, migrated database."""
    schema = (settings.load().sql / "provider" / "schema.sql").read_text(encoding="utf-8")
    with database.transaction(engine) as connection:
        database.run_script(connection, schema)
        connection.execute(
            sa.text(
                "INSERT INTO provider.account (account_id, kind, status, opened_at)"
                " SELECT n, 'individual', 'active', '2024-01-01' FROM generate_series(1, :accounts) AS n"
            ),
            {"accounts": ACCOUNTS},
        )
    return Desk(engine)
