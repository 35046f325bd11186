"""The shop twice, with the same people, requests and nights; only one of them has holds that must not be disclosed.

Everything is done by the jobs themselves: retention first, then the requests, from the assessment to the letters and
the notices. What the outside can see of a world is its letters, byte by byte, and its notices.
"""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests.holdfast.retention import shop as shops
from tests.holdfast.retention.shop import NIGHT, WAVES, Document, Shop

from holdfast import database, queries, settings
from holdfast.deletion_requests import steps
from holdfast.holds import register
from holdfast.holds.register import ReleaseReason

SMALL = 4
"""Requests that change more rows than this are not approved by the night itself."""
HIDDEN, NAMED = "COURT", "AUDITOR"
KEY = "5e" * 32
DAY = dt.timedelta(days=1)

ADDRESSEE = """\
-- Who are these people?
-- params:  subject_keys text[]
-- returns: subject_key text, full_name text, address_lines text[], email text
-- locks:   none
SELECT
    cast(customer_no AS text) AS subject_key, full_name, ARRAY['1 Sample Row'] AS address_lines, email
FROM shop.customer
WHERE cast(customer_no AS text) = any(:subject_keys)
"""
WORDS = """
{% set CATEGORIES = {"any": "Anything", "note": "What you noted", "order": "What you ordered", "page": "What you read",
  "name": "Your name", "contact": "How to reach you", "account": "Your number"} %}
{% set RECORDS = {"customers": "you as a customer", "purchases": "purchases", "items": "lines of purchases",
  "visits": "visits", "photos": "photographs"} %}
"""


def personal(category: str, *recipients: str) -> Document:
    return {"category": category, "sensitivity": "ordinary", "legal_basis": "contract", "recipients": list(recipients)}


def _edit(documents: dict[str, Document]) -> None:
    data_map, schedule, holds = (documents[name] for name in ("data_map", "retention_schedule", "holds"))
    datasets, rules = data_map["datasets"], schedule["rules"]
    datasets["purchases"]["columns"] = {"customer_no": personal("account"), "note": personal("note", "printer")}
    datasets["items"]["columns"] = {"label": personal("order", "warehouse")}
    datasets["visits"]["columns"] = {"customer_no": personal("account"), "page": personal("page", "adviser")}
    customers = datasets["customers"]["columns"] = dict.fromkeys(datasets["customers"]["columns"], personal("contact"))
    customers["full_name"] = personal("name", "printer")
    rules["visits-90d"] |= {"strength": "statutory", "holds": "all"}
    rules["photos-90d"] |= {"holds": "all"}
    holds["types"][NAMED] = holds["types"]["COURT"] | {"disclosable": True, "meaning": "An auditor wants the record."}


@dataclass
class World:
    """One shop, its folder, and the number of its nights."""

    shop: Shop
    project: Path
    home: Path
    nights: int = field(default=0)

    def person(self, *, left_on: str | None) -> None:
        self.shop.add(
            "customer", {"customer_no": 1, "full_name": "Ada Byte", "email": "ada@example.com", "left_on": left_on}
        )

    def request(self, reference: str, parts: Sequence[tuple[str | None, str | None, str | None]] = ()) -> None:
        """A request of the person that can be approved at once: for all of it, or for (dataset, category, record)."""
        with self.shop.engine.begin() as connection:
            number = connection.execute(
                sa.text(
                    "INSERT INTO holdfast.deletion_request (reference, channel, subject_key, received_at, state,"
                    " withdraw_until) VALUES (:reference, 'form', '1', now(), 'assessed', '2024-01-01')"
                    " RETURNING request_id"
                ),
                {"reference": reference},
            ).scalar_one()
            for place, (dataset, category, record) in enumerate(parts, start=1):
                connection.execute(
                    sa.text(
                        "INSERT INTO holdfast.request_part (request_id, part_no, dataset, category, record_key)"
                        " VALUES (:number, :place, :dataset, :category, :record)"
                    ),
                    {"number": number, "place": place, "dataset": dataset, "category": category, "record": record},
                )

    def hold(self, reference: str, hold_type: str, **scope: Any) -> None:
        with database.transaction(self.shop.engine) as connection:
            names = {"hold_type": hold_type, "reference": reference, "placed_by": "anna"}
            register.place(connection, self.shop.policy, **names, **scope)

    def release(self, reference: str) -> None:
        self.shop.release(reference)

    def night(self) -> None:
        """Both jobs, one after the other."""
        as_of = NIGHT + self.nights * DAY
        self.nights += 1
        self.shop.night(as_of)
        engine, given = self.shop.engine, self.shop.settings
        run_id = int(str(steps.open_run(engine, given, as_of=as_of, dry_run=False)["run_id"]))
        for step in (steps.refresh_holds, steps.check_policy, steps.acknowledge_requests, steps.assess, steps.make_plan):
            step(engine, given, run_id=run_id)
        for wave in WAVES:
            for shard in steps.list_shards(engine, given, run_id=run_id, wave=wave):
                steps.enforce_shard(engine, given, **shard)  # type: ignore[arg-type]
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


LETTERS = "SELECT request_id, kind, sha256, rest FROM holdfast.request_letter ORDER BY letter_id"
NOTICES = (
    "SELECT request_id, run_id, recipient, kind, datasets, in_part, categories, outcome"
    " FROM holdfast.recipient_notice ORDER BY request_id, run_id, recipient, kind"
)
STATES = "SELECT request_id, run_id FROM holdfast.request_transition WHERE to_state = 'approved' ORDER BY request_id"


@contextmanager
def world(
    fresh: Callable[[], AbstractContextManager[sa.Engine]], folder: Path, *, edit: Callable[..., None] = _edit
) -> Any:
    """A shop of its own in its own folder; use `at` around whatever is done there."""
    project, home = folder / "project", folder / "home"
    with fresh() as engine:
        one = World.__new__(World)
        with at(project, home):
            shop = shops.build(engine, project)
            shop.set_policy(edit)
            _lay_out(project)
            one.__init__(Shop(engine, settings.load()), project, home)  # type: ignore[misc]
        yield one


@contextmanager
def at(project: Path, home: Path) -> Any:
    """Whatever is done here is done in this project and home."""
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
    (project / "sql" / "provider" / "letter_addressee.sql").write_text(ADDRESSEE, encoding="utf-8")
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
        "letters": {"keep": "P6Y", "unspoken": []},
        "recipients": {"printer": "notice", "warehouse": "notice", "adviser": "notice"},
    }
    (project / "policy" / "deletion_requests.yaml").write_text(json.dumps(rules), encoding="utf-8")
