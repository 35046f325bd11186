"""An office that writes letters: the shipped policy and words, invented people, and requests in any state.

What the engine would write into the matrix is put there by hand, so that each test says what the letters are made from.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from holdfast import database, queries, settings
from holdfast.clock import Period
from holdfast.deletion_requests import letters
from holdfast.deletion_requests.deadlines import Moments, Terms
from holdfast.deletion_requests.letter_text import Addressee
from holdfast.deletion_requests.letters import Stationery, Written
from holdfast.deletion_requests.letters_facts import Case, Kind, LetterRules, Request, Told
from holdfast.policy.load import load_policy
from holdfast.policy.model import Policy
from holdfast.policy.requests_model import Telling, load_requests_policy

NOW = dt.datetime(2026, 11, 24, 1, 30, tzinfo=dt.UTC)
RECEIVED = dt.datetime(2026, 10, 26, 10, 0, tzinfo=dt.UTC)
NIGHT = dt.timedelta(days=1)
KEEP = Period.parse("P6Y")
ADDRESSEE = Addressee("Zoë Ścibor-Example", ("1 Sample Row", "Exampleton", "EX1 1ZZ"), "zoe@example.com")
TAX_END = dt.date(2031, 4, 5)
_COLUMNS = (
    *("run_id", "request_id", "dataset", "decision", "reason", "rows_found", "rows_acted", "rows_held", "rows_exempt"),
    *("held_until", "disclosable", "told_action", "told_reasons", "told_until", "told_rows"),
)
_ERASURE = ("request_id", "run_id", "dataset", "subject_pseudonym", "erased_rows", "erased_at")


@functools.cache
def policy() -> Policy:
    return load_policy(settings.load().policy)


@functools.cache
def terms() -> Terms:
    return Terms.of(policy(), load_requests_policy(settings.load().policy))


def rules() -> LetterRules:
    return LetterRules.of(terms().rules.letters)


def tellings() -> dict[str, Telling]:
    """How the shipped policy tells each recipient."""
    return dict(terms().rules.recipients)


def case(kind: Kind, *told: Told, **changes: object) -> Case:
    """What a letter of a sound request is made from, with some of the request changed."""
    given: dict[str, object] = {
        "request_id": 1,
        "reference": "DR-2026-0001",
        "channel": "form",
        "moments": Moments(RECEIVED),
        "withdraw_until": None,
        "extension_reason": None,
        "refusal_reason": None,
        "scope": (),
        "rest": (),
        "outcome_at": None,
    }
    return Case(kind, Request(**(given | changes)), told, "7F3A-90C2-11D8-4BE6-A05F", NOW)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Cell:
    """What a night decided on one dataset and left of it. `told`: what may be told of the rest; None: what is true.

    `acted` rows were erased (or made anonymous, as `action` says); `held` rows are left for the reason given, of which
    nothing that may be named keeps `secret`.
    """

    dataset: str
    decision: str = "not_held"
    reason: str = "none"
    action: str = "erase"
    acted: int = 1
    held: int = 0
    until: dt.date | None = None
    disclosable: bool = True
    told: tuple[str | None, Sequence[str], dt.date | None] | None = None
    secret: int = 0


@dataclass
class Office:
    """A database with the provider's tables, and what is done there."""

    engine: sa.Engine
    nights: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        schema = settings.load().sql / "provider" / "schema.sql"
        with database.transaction(self.engine) as connection:
            database.run_script(connection, schema.read_text(encoding="utf-8"))

    @property
    def stationery(self) -> Stationery:
        return Stationery(settings.load(), policy(), terms(), rules())

    def run(self, statement: str, **values: object) -> sa.CursorResult[tuple[object, ...]]:
        with database.transaction(self.engine) as connection:
            return connection.execute(sa.text(statement), values)

    def scalars(self, statement: str, **values: object) -> list[object]:
        with database.transaction(self.engine) as connection:
            return list(connection.execute(sa.text(statement), values).scalars())

    def scalar(self, statement: str, **values: object) -> object:
        [found] = self.scalars(statement, **values)
        return found

    def person(self, account: int, name: str = "Zoë Example", email: str = "zoe@example.com") -> None:
        self.run(
            "INSERT INTO provider.account (account_id, kind, status, opened_at)"
            " VALUES (:account, 'individual', 'closed', '2020-01-01')",
            account=account,
        )
        self.run(
            "INSERT INTO provider.contact (account_id, role, full_name, email, address_line, post_town, postcode,"
            " created_at) VALUES (:account, 'owner', :name, :email, '1 Sample Row', 'Exampleton', 'EX1 1ZZ',"
            " '2020-01-01')",
            account=account,
            name=name,
            email=email,
        )

    def request(self, account: int, reference: str, state: str = "approved", **columns: object) -> int:
        """A request in a state it need not have come to by itself."""
        given = {"channel": "form", "received_at": RECEIVED, "closed_at": None} | columns
        names = list(given)
        return int(
            str(
                self.scalar(
                    f"INSERT INTO holdfast.deletion_request (reference, subject_key, state, {', '.join(names)})"
                    f" VALUES (:reference, :subject, :state, {', '.join(f':{name}' for name in names)})"
                    " RETURNING request_id",
                    reference=reference,
                    subject=str(account),
                    state=state,
                    **given,
                )
            )
        )

    def night(self) -> int:
        """A run of the next night."""
        self.nights += 1
        return int(
            str(
                self.scalar(
                    "INSERT INTO holdfast.run (job, as_of, as_of_date, mode, policy_digest, state)"
                    " VALUES ('deletion-requests', :at, :day, 'enforce', 'sha256:0', 'sealed') RETURNING run_id",
                    at=NOW + self.nights * NIGHT,
                    day=(NOW + self.nights * NIGHT).date(),
                )
            )
        )

    def decide(self, run_id: int, request_id: int, *cells: Cell) -> None:
        """Fill the matrix of a run for one request, before and after the work, and note what it erased."""
        decision = sa.table("request_decision", *map(sa.column, _COLUMNS), schema="holdfast")
        after = sa.table("request_after", *map(sa.column, _COLUMNS), schema="holdfast")
        erasure = sa.table("erasure", *map(sa.column, _ERASURE), schema="holdfast")
        with database.transaction(self.engine) as connection:
            for cell in cells:
                told = dict(
                    zip(("told_action", "told_reasons", "told_until"), cell.told or (None, None, None), strict=True)
                )
                left = {
                    "run_id": run_id,
                    "request_id": request_id,
                    "dataset": cell.dataset,
                    "decision": cell.decision,
                    "reason": cell.reason,
                    "rows_found": cell.held,
                    "rows_acted": 0,
                    "rows_held": cell.held,
                    "rows_exempt": 0,
                    "held_until": cell.until,
                    "disclosable": cell.disclosable,
                    **told,
                    "told_reasons": None if cell.told is None else list(cell.told[1]),
                    "told_rows": cell.secret,
                }
                found = {**left, "rows_found": cell.held + cell.acted, "rows_acted": cell.acted}
                found["told_rows"] = cell.acted + cell.secret
                if cell.acted:
                    found |= {"decision": cell.action, "reason": "requested"}
                    gone = (request_id, run_id, cell.dataset, "p1:0", cell.acted, NOW)
                    connection.execute(sa.insert(erasure).values(dict(zip(_ERASURE, gone, strict=True))))
                connection.execute(sa.insert(decision).values(found))
                connection.execute(sa.insert(after).values(left))
            queries.run(connection, "deletion_requests/settle_told_gone", {"run_id": run_id})

    def restrict(self, request_id: int, *datasets: str) -> None:
        for dataset in datasets:
            self.run(
                "INSERT INTO holdfast.restriction (subject_key, dataset, request_id, since)"
                " SELECT subject_key, :dataset, request_id, :at FROM holdfast.deletion_request"
                " WHERE request_id = :request ON CONFLICT DO NOTHING",
                dataset=dataset,
                request=request_id,
                at=NOW,
            )

    def move(self, request_id: int, run_id: int, *states: str) -> None:
        """Lead a request through states, as the job does."""
        for state in states:
            before = self.scalar("SELECT state FROM holdfast.deletion_request WHERE request_id = :id", id=request_id)
            self.run(
                "UPDATE holdfast.deletion_request SET state = :state, closed_at = CASE WHEN :state IN"
                " ('completed', 'refused', 'withdrawn') THEN cast(:at AS timestamptz) END WHERE request_id = :id",
                state=state,
                id=request_id,
                at=NOW,
            )
            self.run(
                "INSERT INTO holdfast.request_transition (request_id, from_state, to_state, by_whom, run_id)"
                " VALUES (:id, :before, :state, 'the night', :run)",
                id=request_id,
                before=before,
                state=state,
                run=run_id,
            )

    def write(self, run_id: int, now: dt.datetime = NOW) -> Written:
        return letters.write_owed(self.engine, self.stationery, run_id=run_id, now=now)

    def letters(self) -> list[tuple[int, str]]:
        """The letters of the register, by request."""
        with database.transaction(self.engine) as connection:
            rows = connection.execute(
                sa.text("SELECT request_id, kind FROM holdfast.request_letter ORDER BY letter_id")
            ).all()
        return [(row.request_id, row.kind) for row in rows]

    def text(self, request_id: int, kind: str) -> str:
        """The HTML of a letter, as it lies in its folder."""
        return (settings.load().letters / str(request_id) / kind / letters.HTML).read_text(encoding="utf-8")
