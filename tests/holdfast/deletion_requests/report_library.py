"""One night of deletion requests at the cinema of the retention tests, filled into the registers by hand.

Every kind of outcome is in it. `SECRETS` of the cinema are words that no report may have: two of its types of hold may
not be known of. People, accounts and references are there to be looked for in the files, and not to be found.
"""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import sqlalchemy as sa
from tests.holdfast.retention.report import cinema

from holdfast import settings
from holdfast.deletion_requests import breaks
from holdfast.deletion_requests.break_kinds import Kind
from holdfast.deletion_requests.breaks import Break
from holdfast.deletion_requests.deadlines import Terms
from holdfast.policy.model import Policy
from holdfast.policy.requests_model import load_requests_policy
from holdfast.settings import Settings

JOB = "deletion_requests_reconcile"
NIGHT, AS_OF = cinema.NIGHT, cinema.AS_OF
WRITTEN = cinema.WRITTEN
DATASETS = ("members", "bookings", "tickets", "cards", "reviews", "newsletters")
KEY = "5e" * 32
DAY = dt.timedelta(days=1)
PRIVATE = ("customer-", "DR-", "ada.lovelace", "p1:0000")
"""What stands in the registers and in no report: subjects, references, people, pseudonyms of what was erased."""


@dataclass(frozen=True)
class Cell:
    """One decision of the matrix. `told` None: every reason that may be named, as the engine would write it."""

    decision: str
    reason: str
    acted: int = 0
    held: int = 0
    exempt: int = 0
    until: dt.date | None = None
    review_on: dt.date | None = None
    disclosable: bool = True
    told: Sequence[str] | None = None


@dataclass(frozen=True)
class Asked:
    """One request: its state, how many days ago it came, and what was decided where it has something."""

    state: str
    days: int = 5
    cells: dict[str, Cell] = field(default_factory=dict)
    columns: dict[str, object] = field(default_factory=dict)
    parts: Sequence[str] = ()
    waits: str | None = None


NOTHING = Cell("not_held", "none")
ERASE = Cell("erase", "requested", acted=4)
TAX_END = dt.date(2027, 3, 31)

REQUESTS: dict[int, Asked] = {
    1: Asked("completed", 20, {"members": replace(ERASE, decision="anonymise", acted=1), "tickets": ERASE}),
    2: Asked(
        "partly_completed",
        26,
        {
            "members": ERASE,
            "bookings": Cell("held", "UNPAID", held=3, review_on=dt.date(2026, 12, 24), told=["UNPAID"]),
            "cards": Cell("held", "TAX", held=2, until=TAX_END, told=["TAX", "UNPAID"]),
        },
    ),
    3: Asked(
        "partly_completed",
        30,
        {
            "bookings": Cell("erase", "requested", acted=2, exempt=5, told=["bookings-6y"]),
            "tickets": ERASE,
            "reviews": Cell("held", "LITIGATION", held=2, until=dt.date(2031, 7, 7), told=["LITIGATION"]),
        },
    ),
    4: Asked(
        "partly_completed",
        31,
        {
            "tickets": Cell("held", "WARRANT", held=6, until=dt.date(2031, 7, 7), disclosable=False, told=[]),
            "cards": Cell("held", "COVERT_INQUIRY", held=1, disclosable=False, told=["TAX"]),
        },
    ),
    5: Asked("verified", 3, waits="cool_off", columns={"withdraw_until": dt.date(2026, 11, 28)}),
    6: Asked("identity_pending", 25, waits="identity", columns={"identity_requested_at": AS_OF - 20 * DAY}),
    7: Asked("assessed", 29, {"members": replace(ERASE, decision="waiting", reason="approval")}, waits="approval"),
    8: Asked("received", 40, waits="identity"),
    9: Asked("refused", 50, columns={"refusal_reason": "excessive"}),
    10: Asked("withdrawn", 8),
    11: Asked("verified", 2, waits="cool_off", columns={"withdraw_until": dt.date(2026, 11, 29), "duplicate_of": 5}),
    12: Asked("partly_completed", 24, {"tickets": Cell("unknown", "start", told=[])}, parts=("tickets", "cards")),
    13: Asked(
        "executing",
        22,
        {
            "members": Cell("exempt", "members-2y", exempt=1, told=["members-2y"]),
            "reviews": Cell("unknown", "source", held=1, told=["UNPAID"]),
        },
    ),
    14: Asked(
        "assessed",
        21,
        waits="approval",
        columns={"first_approved_by": "ada.lovelace", "extension_reason": "complexity", "extension_notified_at": AS_OF},
    ),
}
BREAKS = (
    Break(Kind.PAST_DEADLINE, 1, requests=(8,)),
    Break(Kind.HELD_WITHOUT_RESTRICTION, 1, "cards", (4,)),
    Break(Kind.RECIPIENT_UNCONFIRMED, 2, "mail-service", (1, 2)),
    Break(Kind.HOLD_REVIEW_OVERDUE, 1, "UNPAID", (2,), (2,)),
    Break(Kind.HOLD_REVIEW_OVERDUE, 8_888, breaks.OTHERS, (4,), (4, 5)),
)
COURSE = (
    ("run_started", 1, 12),
    ("request_changed", 3, 20),
    ("request_assessed", 1, 30),
    ("plan_made", 1, 40),
    ("approval_given", 1, 300),
    ("batch_deleted", 4, 360),
    ("run_verified", 1, 560),
    ("request_erased", 2, 570),
)
AFTERWARDS = (("run_sealed", 1, 600),)


def write_policy(folder: Path) -> Policy:
    """The cinema's policy, and the shipped one on requests."""
    policy = cinema.write_policy(folder)
    for name in ("deletion_requests.yaml", "bank_holidays.yaml"):
        shutil.copy(settings.load().policy / name, folder / "policy" / name)
    return policy


def settings_in(folder: Path) -> Settings:
    return cinema.settings_in(folder)


def terms_in(folder: Path, policy: Policy) -> Terms:
    return Terms.of(policy, load_requests_policy(folder / "policy"))


def fill(connection: sa.Connection, policy: Policy, requests: dict[int, Asked] = REQUESTS, **changed: object) -> int:
    """The whole night, for a run with the columns `changed`; its number."""
    run_id = cinema.open_run(connection, policy, **{"job": JOB, "refused_sources": ["counsel"], **changed})
    is_dry = changed.get("mode") == "dry-run"
    for number, asked in requests.items():
        add_request(connection, number, asked)
        if asked.state not in ("refused", "withdrawn"):
            decide(connection, run_id, number, asked, is_settled=not is_dry)
    cinema.sources(connection)
    cinema.holds(connection)
    plan(connection, run_id)
    if not is_dry:
        restrict(connection, requests)
        notices(connection, run_id)
        ledger(connection, run_id)
    return run_id


def add_request(connection: sa.Connection, number: int, asked: Asked) -> None:
    """A request with this number, whatever its state, and how it came to it."""
    received_at = AS_OF - asked.days * DAY
    is_closed = asked.state in ("completed", "refused", "withdrawn")
    columns: dict[str, object] = {
        "reference": f"DR-{number}",
        "channel": "form",
        "subject_key": f"customer-{number}",
        "state": asked.state,
        "received_at": received_at,
        "closed_at": AS_OF - DAY if is_closed else None,
        **asked.columns,
    }
    names = [sa.column(name) for name in columns]
    target = sa.table("deletion_request", *names, schema="holdfast")
    made = connection.execute(sa.insert(target).values(columns).returning(sa.column("request_id"))).scalar_one()
    assert made == number, "an empty register numbers them from one"
    for place, dataset in enumerate(asked.parts, start=1):
        cinema.add(connection, "request_part", request_id=number, part_no=place, dataset=dataset)
    if is_closed or asked.state == "partly_completed":
        cinema.add(
            connection,
            "request_transition",
            request_id=number,
            from_state="executing",
            to_state=asked.state,
            at=AS_OF - DAY * (number % 3) * 7,
            by_whom="ada.lovelace",
        )


def decide(connection: sa.Connection, run_id: int, number: int, asked: Asked, *, is_settled: bool = True) -> None:
    """Fill the matrix of the night for one request, and what was erased for it."""
    for dataset in asked.parts or DATASETS:
        cell = asked.cells.get(dataset, NOTHING)
        if asked.waits:
            cell = replace(cell, decision="waiting", reason=asked.waits)
        _add_cell(connection, "request_decision", run_id, number, dataset, cell)
        _scope(connection, number, dataset, asked)
        if not is_settled:
            continue
        _add_cell(connection, "request_after", run_id, number, dataset, _afterwards(cell))
        if cell.acted and cell.decision in ("erase", "anonymise"):
            cinema.add(
                connection,
                "erasure",
                request_id=number,
                run_id=run_id,
                dataset=dataset,
                subject_pseudonym="p1:" + "0" * 32,
                erased_rows=cell.acted,
                erased_at=AS_OF,
            )


def _afterwards(cell: Cell) -> Cell:
    if cell.decision not in ("erase", "anonymise"):
        return cell
    if cell.exempt:
        return replace(cell, decision="exempt", reason="bookings-6y", acted=0)
    return NOTHING


def _add_cell(connection: sa.Connection, table: str, run_id: int, number: int, dataset: str, cell: Cell) -> None:
    cinema.add(
        connection,
        table,
        run_id=run_id,
        request_id=number,
        dataset=dataset,
        decision=cell.decision,
        reason=cell.reason,
        rows_found=cell.acted + cell.held + cell.exempt,
        rows_acted=cell.acted,
        rows_held=cell.held,
        rows_exempt=cell.exempt,
        held_until=cell.until,
        review_on=cell.review_on,
        disclosable=cell.disclosable,
        told_action=None,
        told_reasons=list(cell.told or []),
        told_until=None,
    )


def _scope(connection: sa.Connection, number: int, dataset: str, asked: Asked) -> None:
    cinema.add(
        connection,
        "erasure_scope",
        request_id=number,
        dataset=dataset,
        subject_key=f"customer-{number}",
        is_ready=asked.waits is None,
        waits_for=asked.waits,
    )


def plan(connection: sa.Connection, run_id: int) -> None:
    """What was planned and done, one dataset over its cap, and a person's approval."""
    for dataset, acted in (("members", 5), ("tickets", 8), ("bookings", 2)):
        caps = ["rows"] if dataset == "tickets" else []
        cinema.plan_rule(connection, run_id, f"erase:{dataset}", dataset, due=acted, acted=acted, caps=caps)
    cinema.add(
        connection,
        "approval",
        run_id=run_id,
        plan_digest=cinema.PLAN,
        decision="approved",
        decided_by="ada.lovelace",
        decided_at=AS_OF + dt.timedelta(minutes=5),
    )


def restrict(connection: sa.Connection, requests: dict[int, Asked]) -> None:
    for number, asked in requests.items():
        for dataset, cell in asked.cells.items():
            if asked.state == "partly_completed" and cell.decision in ("held", "exempt", "unknown"):
                cinema.add(
                    connection,
                    "restriction",
                    subject_key=f"customer-{number}",
                    dataset=dataset,
                    request_id=number,
                    since=AS_OF,
                )


def notices(connection: sa.Connection, run_id: int) -> None:
    """One recipient that answered, two that did not, one that was not reached."""
    for number, recipient, sent_days, outcome in (
        (1, "mail-service", 40, None),
        (2, "mail-service", 12, None),
        (3, "mail-service", 2, "acknowledged"),
        (3, "support-desk", None, None),
    ):
        sent_at = None if sent_days is None else AS_OF - sent_days * DAY
        cinema.add(
            connection,
            "recipient_notice",
            request_id=number,
            run_id=run_id,
            recipient=recipient,
            kind="erased",
            datasets=["members"],
            in_part=[],
            categories=["activity"],
            queued_at=sent_at or AS_OF,
            sent_at=sent_at,
            outcome=outcome,
            outcome_at=AS_OF if outcome else None,
        )


def ledger(connection: sa.Connection, run_id: int, found: Sequence[Break] | None = BREAKS) -> None:
    """Entries at fixed times: the course of the night, what disagreed (None: nobody looked), and the seal."""
    entries = [(kind, {}, seconds) for kind, number, seconds in COURSE for _ in range(number)]
    if found is not None:
        for one in found:
            facts = {"kind": one.kind, "about": one.about or None, "count": one.count}
            entries.append(("break_found", {**facts, "requests": one.requests, "holds": one.holds}, 580))
        entries.append(("reconciled", {"kinds": len({one.kind for one in found}), "incidents": 0}, 580))
    entries += [(kind, {}, seconds) for kind, number, seconds in AFTERWARDS for _ in range(number)]
    for seq, (kind, facts, seconds) in enumerate(entries, start=101):
        cinema.add(
            connection,
            "ledger_entry",
            seq=seq,
            at=AS_OF + dt.timedelta(seconds=seconds),
            run_id=run_id,
            kind=kind,
            entry=json.dumps({"facts": facts, "kind": kind, "run": run_id, "seq": seq}),
            prev_hash=bytes(32),
            hash=bytes([seq % 256]) * 32,
        )
    last = 100 + len(entries)
    cinema.add(
        connection,
        "ledger_seal",
        run_id=run_id,
        job=JOB,
        as_of=NIGHT,
        first_seq=101,
        last_seq=last - 1,
        entries=last - 101,
        root=b"\1" * 32,
        sealed_seq=last,
        head_hash=b"\2" * 32,
        sealed_at=AS_OF + dt.timedelta(minutes=10),
    )
