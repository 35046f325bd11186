"""A hold that must not be disclosed leaves no trace in the letters: not by wording, not by count, not by timing.

Two worlds receive the same requests. In one, some rows are kept by holds that must not be named; in the other those
holds do not exist, and the rows are erased when the nameable ones end. Night after night the letters must be the same
files, byte by byte, noted at the same moment. The matrix is made here as the engine makes it, from groups of rows and
the nights until which holds of either sort last.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, assume, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from tests.holdfast.deletion_requests.letters_library import NIGHT, NOW, Cell, Office

from holdfast import database, settings
from holdfast.deletion_requests import letters_store

KEY = "5e" * 32
ACTIONS = {
    "contacts": "erase", "messages": "erase", "invoices": "erase", "accounts": "anonymise", "fraud_signals": "erase"
}  # fmt: skip
REASONS = ("TAX_CT", "BILLING_OPEN_BALANCE", "invoices-6y", "dataset")
NIGHTS = 6


@dataclass(frozen=True)
class Group:
    """Rows that share their fate: kept before the night each of these ends."""

    named: tuple[tuple[str, int], ...]
    hidden: int

    def reasons(self, night: int) -> tuple[str, ...]:
        return tuple(sorted(reason for reason, ends in self.named if night < ends))

    def is_hidden(self, night: int) -> bool:
        return night < self.hidden


Rows = dict[str, tuple[Group, ...]]
ENDS = st.integers(0, NIGHTS + 1)
GROUPS = st.builds(
    Group,
    st.lists(st.tuples(st.sampled_from(REASONS), ENDS), max_size=2, unique_by=lambda one: one[0]).map(tuple),
    ENDS,
)
PEOPLE = st.dictionaries(
    st.sampled_from(list(ACTIONS)), st.lists(GROUPS, min_size=1, max_size=3).map(tuple), min_size=1
)


@dataclass
class World:
    """One of the two: its office and its folder."""

    office: Office
    home: Path
    has_secrets: bool
    left: Rows
    request: int = 0
    is_closed: bool = False

    def hold(self, group: Group) -> Group:
        return group if self.has_secrets else Group(group.named, 0)

    def carry_out(self, run: int, night: int) -> None:
        """Assess and erase, as the job does in one night."""
        if self.is_closed:
            return
        cells, left = [], {}
        for dataset, groups in self.left.items():
            kept = tuple(one for one in groups if one.reasons(night) or one.is_hidden(night))
            cells.append(_cell(dataset, groups, kept, night))
            left[dataset] = kept
        self.left = left
        self.office.decide(run, self.request, *cells)
        self.office.restrict(self.request, *(name for name, groups in left.items() if groups))
        if not left.get("contacts"):
            self.office.run("DELETE FROM provider.contact WHERE account_id = :id", id=self.request)
        stays = any(left.values())
        if night == 1:
            self.office.move(self.request, run, "executing", "partly_completed" if stays else "completed")
        elif not stays:
            self.office.move(self.request, run, "completed")
        self.is_closed = not stays

    def kept(self) -> dict[str, bytes]:
        """Every file of the correspondence about the request."""
        folder = self.home / "letters" / str(self.request)
        return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}

    def noted(self) -> list[tuple[object, ...]]:
        """Every letter of the request in the register and in the ledger, without the moment the ledger takes itself."""
        with database.transaction(self.office.engine) as connection:
            letters = connection.execute(
                sa.text(
                    "SELECT kind, sha256, file_name, written_at, rest FROM holdfast.request_letter"
                    " WHERE request_id = :id ORDER BY letter_id"
                ),
                {"id": self.request},
            ).all()
            entries = connection.execute(
                sa.text(
                    "SELECT entry::json -> 'facts' ->> 'letter' FROM holdfast.ledger_entry"
                    " WHERE kind = 'letter_written' AND (entry::json -> 'facts' ->> 'request')::bigint = :id"
                    " ORDER BY seq"
                ),
                {"id": self.request},
            ).all()
        return [*map(tuple, letters), *map(tuple, entries)]


def _cell(dataset: str, groups: Sequence[Group], kept: Sequence[Group], night: int) -> Cell:
    """The decision and what is left, with hidden holds in all that is nobody's to read, and what may be told of it."""
    reasons = sorted({reason for one in kept for reason in one.reasons(night)})
    hidden = [one for one in kept if one.is_hidden(night)]
    return Cell(
        dataset,
        "held" if kept else "not_held",
        "LE_PRESERVATION" if hidden else next(iter(reasons), "none"),
        action=ACTIONS[dataset],
        acted=len(groups) - len(kept),
        held=len(kept),
        until=dt.date(2099, 1, 1) if hidden else None,
        disclosable=not hidden,
        told=(
            ACTIONS[dataset] if any(not one.reasons(night) for one in kept) else None,
            reasons,
            dt.date(2030, 1, 1) if reasons else None,
        ),
        secret=sum(not one.reasons(night) for one in kept),
    )


@pytest.fixture(scope="module")
def offices(
    fresh_database: Callable[..., AbstractContextManager[sa.Engine]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[tuple[Office, Path], tuple[Office, Path]]]:
    with fresh_database() as one, fresh_database() as other, pytest.MonkeyPatch.context() as environment:
        environment.setenv(settings.PSEUDONYM_KEY, KEY)
        yield (Office(one), tmp_path_factory.mktemp("one")), (Office(other), tmp_path_factory.mktemp("other"))


numbers = itertools.count(1)


@hypothesis_settings(
    deadline=None, max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(person=PEOPLE, crashed=st.sets(st.integers(1, NIGHTS - 1), max_size=2), moves_house=st.integers(0, NIGHTS))
@example(person={"messages": (Group((), 4),)}, crashed=set(), moves_house=0)
@example(person={"contacts": (Group((), 5),), "invoices": (Group((("TAX_CT", 3),), 5),)}, crashed={1, 3}, moves_house=2)
@example(person={"invoices": (Group((("TAX_CT", 3),), 0), Group((), 9))}, crashed=set(), moves_house=3)
def test_letters_are_the_same_with_and_without_a_hold_that_must_not_be_disclosed(
    offices: tuple[tuple[Office, Path], tuple[Office, Path]],
    monkeypatch: pytest.MonkeyPatch,
    person: Rows,
    crashed: set[int],
    moves_house: int,
) -> None:
    assume(any(one.hidden > 1 for groups in person.values() for one in groups))
    number = next(numbers)
    worlds = []
    for has_secrets, (office, home) in zip((True, False), offices, strict=True):
        world = World(office, home, has_secrets, {})
        world.left = {name: tuple(map(world.hold, groups)) for name, groups in person.items()}
        world.request = office.request(number, f"DR-{number}")
        office.person(world.request)
        office.run(
            "UPDATE holdfast.deletion_request SET first_approved_by = 'x' WHERE request_id = :id", id=world.request
        )
        worlds.append(world)
    with_secrets, without = worlds
    assert with_secrets.request == without.request
    for night in range(NIGHTS + 1):
        for world in worlds:
            monkeypatch.setenv(settings.HOME, str(world.home))
            run = world.office.night()
            if night == moves_house:
                world.office.run(
                    "UPDATE provider.contact SET address_line = '2 Sample Row' WHERE account_id = :id", id=world.request
                )
            if night:
                world.carry_out(run, night)
            if night not in crashed:
                assert world.office.write(run, NOW + night * NIGHT).failed == ()
        assert with_secrets.noted() == without.noted()
        assert with_secrets.kept() == without.kept()
    assert "outcome/letter.html" in without.kept()


# --- why it holds ------------------------------------------------------------------------------------------------

READ = (
    *("deletion_request", "request_part", "request_transition", "request_letter"),
    *("request_told", "request_told_gone", "request_addressee"),
)
NOT_READ = (
    "erasure",
    "request_erased",
    "request_decision",
    "request_after",
    "hold",
    "hold_source",
    "restriction",
    "recipient_notice",
)


@pytest.fixture
def office(database: sa.Engine, home: Path) -> Office:
    return Office(database)


def test_letters_are_made_by_somebody_who_cannot_see_holds(office: Office) -> None:
    office.person(1)
    request = office.request(1, "DR-1", "approved")
    run = office.night()
    hidden = Cell(
        "messages", "held", "IPA_NOTICE", acted=0, held=1, disclosable=False, told=("erase", (), None), secret=1
    )
    office.decide(run, request, hidden, Cell("contacts"))
    office.write(run)
    office.move(request, run, "executing", "partly_completed")
    role = f"letters_{office.engine.url.database}"
    office.run(f"CREATE ROLE {role}")
    try:
        office.run(f"GRANT USAGE ON SCHEMA holdfast TO {role}")
        office.run(f"GRANT SELECT ON {', '.join(f'holdfast.{name}' for name in READ)} TO {role}")
        with database.transaction(office.engine) as connection:
            connection.execute(sa.text(f"SET LOCAL ROLE {role}"))
            for name in NOT_READ:
                seen = sa.select(sa.func.has_table_privilege(f"holdfast.{name}", "SELECT"))
                assert not connection.execute(seen).scalar_one()
            assert letters_store.owed(connection, run)
            assert letters_store.request_of(connection, request).request_id == request
            told = {one.dataset: (one.action, one.reasons) for one in letters_store.told_of(connection, request)}
    finally:
        office.run(f"DROP OWNED BY {role}")
        office.run(f"DROP ROLE {role}")
    assert told == {"messages": ("erase", ()), "contacts": ("erase", ())}


def test_the_matrix_takes_no_hidden_hold_without_what_may_be_told(office: Office) -> None:
    request = office.request(1, "DR-1", "approved")
    with pytest.raises(sa.exc.IntegrityError):
        office.decide(
            office.night(), request, Cell("messages", "held", "IPA_NOTICE", acted=0, held=1, disclosable=False)
        )
