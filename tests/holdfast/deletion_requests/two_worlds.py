"""The shop twice, with the same people, requests and nights; only one of them has holds that must not be disclosed.

Everything is done by the jobs themselves: retention first, then the requests, from the assessment to the letters and
the notices. What the outside can see of a world is its letters, byte by byte, and its notices.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
import sqlalchemy as sa
from tests.holdfast.deletion_requests.nights import work_through
from tests.holdfast.retention import shop as shops
from tests.holdfast.retention.shop import NIGHT, Document, Shop

from holdfast import database, queries, settings
from holdfast.deletion_requests import steps
from holdfast.deletion_requests.scope import Part
from holdfast.holds import register

SMALL = 4
"""Requests that change more rows than this are not approved by the night itself."""
HIDDEN, NAMED = "COURT", "AUDITOR"
KEY = "5e" * 32
DAY = dt.timedelta(days=1)

TILL = shops.TILL.replace("TRUE AS disclosable", "reference NOT LIKE 'court%' AS disclosable")
ADDRESSEE = """\
-- Who are these people?
-- params:  subject_keys text[]
-- returns: subject_key text, full_name text, address_lines text[], email text
-- locks:   none
SELECT
    cast(customer_no AS text) AS subject_key, full_name, ARRAY['1 Sample Row'] AS address_lines, email
FROM shop.customer
WHERE cast(customer_no AS text) = any(:subject_keys) AND full_name NOT LIKE 'p1:%'
"""
CEASES = """\
-- The shop has no telephone numbers.
-- params:  subject_keys text[]
-- returns: none
-- locks:   none
SELECT given.key AS subject_key, '' AS dataset, '' AS record_key, FALSE AS is_ceased, FALSE AS is_acknowledged
FROM unnest(cast(:subject_keys AS text [])) AS given (key)
WHERE given.key = ''
"""
KNOWN = """\
-- Everybody is known.
-- params:  subject_keys text[]
-- returns: given text, subject_key text
-- locks:   none
SELECT given.key AS given, given.key AS subject_key FROM unnest(cast(:subject_keys AS text [])) AS given (key)
"""
BALANCES = """\
-- The shop has one till.
-- params:  subject_keys text[]
-- returns: none
-- locks:   none
SELECT given.key AS subject_key FROM unnest(cast(:subject_keys AS text [])) AS given (key) WHERE given.key = ''
"""
WORDS = """
{% set CATEGORIES = {"any": "Anything", "note": "What you noted", "order": "What you ordered", "page": "What you read",
  "name": "Your name", "contact": "How to reach you", "account": "Your number",
  "day": "When you bought something"} %}
{% set RECORDS = {"customers": "you as a customer", "purchases": "purchases", "items": "lines of purchases",
  "visits": "visits", "photos": "photographs"} %}
"""


def personal(category: str, *recipients: str) -> Document:
    return {"category": category, "sensitivity": "ordinary", "legal_basis": "contract", "recipients": list(recipients)}


def _edit(documents: dict[str, Document]) -> None:
    data_map, schedule, holds = (documents[name] for name in ("data_map", "retention_schedule", "holds"))
    datasets, rules = data_map["datasets"], schedule["rules"]
    datasets["purchases"]["columns"] = {
        "customer_no": personal("account"),
        "bought_on": personal("day"),
        "note": personal("note", "printer") | {"in_part": {"to": "null"}},
    }
    datasets["purchases"]["not_personal"].remove("bought_on")
    datasets["items"]["columns"] = {"label": personal("order", "warehouse")}
    datasets["visits"]["columns"] = {"customer_no": personal("account"), "page": personal("page", "adviser")}
    customers = datasets["customers"]["columns"] = dict.fromkeys(datasets["customers"]["columns"], personal("contact"))
    customers["full_name"] = personal("name", "printer")
    customers["phone"] = personal("note", "adviser") | {"in_part": {"to": "null"}}
    rules["visits-90d"] |= {"strength": "statutory", "holds": "all"}
    rules["photos-90d"] |= {"holds": "all"}
    holds["types"][NAMED] = holds["types"]["COURT"] | {"disclosable": True, "meaning": "An auditor wants the record."}


@dataclass(frozen=True)
class Hold:
    """A hold from one night until before another, on a person or on everybody. `hold_type`: HIDDEN or NAMED."""

    hold_type: str
    scope: Literal["subject", "class", "datasets", "period", "purchase", "item"] = "subject"
    first: int = 0
    end: int = 9
    datasets: tuple[str, ...] = ("purchases",)
    by_source: bool = False


@dataclass(frozen=True)
class Person:
    """What is held about somebody, the holds on it, and on which nights they ask for what."""

    purchases: tuple[tuple[str, int], ...] = ()
    visits: tuple[str, ...] = ()
    has_left: bool = True
    holds: tuple[Hold, ...] = ()
    asks: tuple[tuple[int, tuple[Part, ...]], ...] = ((0, ()),)


@dataclass
class World:
    """One shop, its folder, and the number of its nights."""

    shop: Shop
    project: Path
    home: Path
    nights: int = field(default=0)

    def add(self, person: Person, number: int) -> None:
        """Somebody and all that is held about them; keys are made from the number."""
        self.shop.add(
            "customer",
            {
                "customer_no": number,
                "full_name": f"Person {number} Example",
                "email": f"person{number}@example.com",
                "phone": "07700 900001",
                "left_on": "2024-02-01" if person.has_left else None,
            },
        )
        first = 100 * number
        for place, (bought_on, items) in enumerate(person.purchases):
            self.shop.purchases([first + place], bought_on=bought_on, customer_no=number, note="n")
            lines = range(1, items + 1)
            self.shop.add("item", *({"purchase_id": first + place, "line_no": line, "label": "a"} for line in lines))
        for place, seen_at in enumerate(person.visits):
            self.shop.add("visit", {"visit_id": first + place, "customer_no": number, "seen_at": seen_at, "page": "b"})

    def request(self, number: int, reference: str, parts: Iterable[Part] = ()) -> None:
        """A request of the person that the night may approve: for everything, or for parts of it."""
        with self.shop.engine.begin() as connection:
            request_id = connection.execute(sa.text(ASK), {"reference": reference, "subject": str(number)}).scalar_one()
            self.parts(connection, request_id, parts)

    def parts(self, connection: sa.Connection, request_id: int, parts: Iterable[Part]) -> None:
        """What a request asks for."""
        for place, part in enumerate(parts, start=1):
            values = {"request_id": request_id, "place": place, **dataclasses.asdict(part)}
            connection.execute(sa.text(ASK_PART), values)

    def hold(self, hold: Hold, reference: str, number: int | None) -> None:
        """Place a hold on the person, or on everybody."""
        if hold.by_source:
            self.shop.add("debt", {"reference": f"{hold.hold_type.lower()}-{reference}", "customer_no": number})
            return
        subject = None if number is None else str(number)
        scope: dict[str, Any] = {
            "subject": {"subject_key": subject},
            "class": {"datasets": list(hold.datasets)},
            "datasets": {"subject_key": subject, "datasets": list(hold.datasets)},
            "period": {"subject_key": subject, "period_from": dt.date(2024, 2, 1), "period_to": dt.date(2024, 3, 1)},
            "purchase": {"datasets": ["purchases"], "record_key": f"{number}00"},
            "item": {"datasets": ["items"], "record_key": f"{number}00|1"},
        }
        with database.transaction(self.shop.engine) as connection:
            names = {"hold_type": hold.hold_type, "reference": reference, "placed_by": "anna"}
            register.place(connection, self.shop.policy, **names, **scope[hold.scope])

    def release(self, hold: Hold, reference: str) -> None:
        if hold.by_source:
            self.shop.execute(
                "DELETE FROM shop.debt WHERE reference = :one", one=f"{hold.hold_type.lower()}-{reference}"
            )
        else:
            self.shop.release(reference)

    def night(self) -> None:
        """Both jobs, one after the other."""
        self.shop.night(NIGHT + self.nights * DAY)
        self.requests()

    def requests(self) -> None:
        """The job of the requests alone."""
        as_of = NIGHT + self.nights * DAY
        self.nights += 1
        engine, given = self.shop.engine, self.shop.settings
        run_id = int(str(steps.open_run(engine, given, as_of=as_of, dry_run=False)["run_id"]))
        for step in (
            steps.refresh_holds,
            steps.check_policy,
            steps.acknowledge_requests,
            steps.assess,
            steps.make_plan,
        ):
            step(engine, given, run_id=run_id)
        work_through(engine, given, run_id)
        for step in (
            *(steps.verify_run, steps.settle_requests, steps.write_outcomes, steps.notify_recipients),
            *(steps.seal_run, steps.conclude),
        ):
            step(engine, given, run_id=run_id)

    def seen(self) -> dict[str, object]:
        """What people and recipients can see, and the night on which."""
        folder = self.home / "letters"
        letters = {str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*") if one.is_file()}
        return {**letters, "register": self.rows(LETTERS), "notices": self.rows(NOTICES), "approved": self.rows(STATES)}

    def rows(self, statement: str) -> list[tuple[object, ...]]:
        with self.shop.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(sa.text(statement))]


ASK = (
    "INSERT INTO holdfast.deletion_request (reference, channel, subject_key, received_at, state, withdraw_until)"
    " VALUES (:reference, 'form', :subject, now(), 'assessed', '2024-01-01') RETURNING request_id"
)
ASK_PART = (
    "INSERT INTO holdfast.request_part (request_id, part_no, dataset, category, record_key)"
    " VALUES (:request_id, :place, :dataset, :category, :record_key)"
)
LETTERS = "SELECT request_id, kind, sha256, rest FROM holdfast.request_letter ORDER BY letter_id"
NOTICES = (
    "SELECT request_id, run_id, recipient, kind, datasets, in_part, categories, outcome"
    " FROM holdfast.recipient_notice ORDER BY request_id, run_id, recipient, kind"
)
STATES = "SELECT request_id, run_id FROM holdfast.request_transition WHERE to_state = 'approved' ORDER BY request_id"


@contextmanager
def world(fresh: Callable[[], AbstractContextManager[sa.Engine]], folder: Path) -> Iterator[World]:
    """A shop of its own in a folder of its own; whatever is done there is done `at` it."""
    project, home = folder / "project", folder / "home"
    with fresh() as engine:
        with _environment(project, home):
            shop = shops.build(engine, project)
            shop.set_policy(_edit)
            _lay_out(project)
            shop.add(
                "debt", {"reference": "somebody-else", "customer_no": 9999}
            )  # a source without any is not believed
        yield World(shop, project, home)


@contextmanager
def at(one: World) -> Iterator[None]:
    """Whatever is done here is done in this world's folders."""
    with _environment(one.project, one.home):
        yield


@contextmanager
def _environment(project: Path, home: Path) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(settings.PROJECT, str(project))
        environment.setenv(settings.HOME, str(home))
        environment.setenv(settings.PSEUDONYM_KEY, KEY)
        queries.query.cache_clear()
        yield
    queries.query.cache_clear()


def _lay_out(project: Path) -> None:
    """The shop's words, recipients and addressees beside its policy."""
    shipped = Path(__file__).parents[3] / "policy"
    provided = {
        "letter_addressee": ADDRESSEE,
        "emergency_ceases": CEASES,
        "subject_exists": KNOWN,
        "balances": BALANCES,
    }
    for name, query in provided.items():
        (project / "sql" / "provider" / f"{name}.sql").write_text(query, encoding="utf-8")
    (project / "sql" / "provider" / "holds" / "till.sql").write_text(TILL, encoding="utf-8")
    shutil.copytree(shipped / "letters", project / "policy" / "letters")
    words = project / "policy" / "letters" / "words.j2"
    words.write_text(words.read_text(encoding="utf-8") + WORDS, encoding="utf-8")
    shutil.copy(shipped / "bank_holidays.yaml", project / "policy")
    rules = {
        "version": 1,
        "nation": "ENG",
        "cool_off_days": 7,
        "clock": {"internal_target_days": 28, "alert_days": [14, 7, 2], "identity_ageing_days": 14},
        "approval": {"automatic_up_to_rows": SMALL, "second_approver_above_rows": 1000},
        "intake": {"max_file_mib": 1, "max_rows": 10, "keep_files_days": 9},
        "matrix": {"keep_days": 31},
        "letters": {"keep": "P6Y", "unspoken": [], "address_from": ["customers"]},
        "recipients": {"printer": "notice", "warehouse": "notice", "adviser": "notice"},
    }
    (project / "policy" / "deletion_requests.yaml").write_text(json.dumps(rules), encoding="utf-8")
