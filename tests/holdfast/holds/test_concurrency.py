"""Several refreshes, holds placed by hand and deletion batches at once: nothing is lost, doubled or deadlocked."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import sqlalchemy as sa
from tests.holdfast.holds.library import FINE, Library

from holdfast import database
from holdfast.evidence import ledger
from holdfast.evidence.copies import Copies
from holdfast.evidence.verify import Verdict, verify
from holdfast.holds import register
from holdfast.holds.register import ReleaseReason
from holdfast.holds.trust import Status

ROUNDS = 12


def at_once(*works: Callable[[], object]) -> None:
    """Start all of them at the same moment and wait; an exception of one is raised here."""
    start = threading.Barrier(len(works))

    def run(work: Callable[[], object]) -> object:
        start.wait()
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        for done in [pool.submit(run, work) for work in works]:
            done.result()


def test_refreshes_at_once_place_each_hold_once(library: Library) -> None:
    library.report(*({**FINE, "reference": f"fine-{i}"} for i in range(300)))
    states = []
    at_once(*[lambda: states.append(library.refresh()["desk"])] * 4)
    assert {state.status for state in states} == {Status.TRUSTED}
    assert sorted(state.placed for state in states) == [0, 0, 0, 300]
    assert {state.changed + state.ended for state in states} == {0}
    assert len(library.held()) == 300


def test_a_refresh_that_waited_reads_what_its_source_says_afterwards(library: Library) -> None:
    """The source is read under its lock: an older read never overwrites a newer one."""
    numbers = itertools.count(2)

    def report_and_refresh() -> None:
        for _ in range(ROUNDS):
            reference = f"fine-{next(numbers)}"
            library.sql(
                "INSERT INTO library.hold_feed (source_id, reference, hold_type, ground, disclosable)"
                " VALUES ('desk', :reference, 'FINE', 'contract', true)",
                reference=reference,
            )
            assert library.refresh()["desk"].status is Status.TRUSTED
            assert library.held()[reference].released_at is None

    at_once(report_and_refresh, report_and_refresh, report_and_refresh)
    assert len(library.held()) == 1 + 3 * ROUNDS
    assert [hold for hold in library.held().values() if hold.released_at is not None] == []


def test_batches_and_everybody_who_writes_holds_never_deadlock(library: Library) -> None:
    """A batch locks the register in SHARE mode and then the head of the ledger; writers take them in that order too."""
    library.report(*({**FINE, "reference": f"fine-{i}"} for i in range(20)))
    library.refresh()
    numbers = itertools.count(1)
    batches = []

    def batch() -> None:
        for _ in range(ROUNDS):
            with database.transaction(library.engine) as connection:
                connection.execute(sa.text("LOCK TABLE holdfast.hold IN SHARE MODE"))
                before = connection.execute(sa.text("SELECT count(*) FROM holdfast.hold")).scalar_one()
                time.sleep(0.002)
                after = connection.execute(sa.text("SELECT count(*) FROM holdfast.hold")).scalar_one()
                batches.append((before, after))
                ledger.append(connection, "batch_deleted", {"rows": 0})

    def refresh() -> None:
        for i in range(ROUNDS):
            fines = [{**FINE, "reference": f"fine-{n}", "ground": f"round-{i}"} for n in range(20)]
            library.report(*fines)
            library.refresh()

    def place_and_release() -> None:
        for _ in range(ROUNDS):
            with database.transaction(library.engine) as connection:
                hold = register.place(
                    connection,
                    library.policy,
                    hold_type="ORDER",
                    reference=f"case-{next(numbers)}",
                    placed_by="clerk",
                    subject_key="7",
                )
            with database.transaction(library.engine) as connection:
                register.release(connection, library.policy, hold, released_by="clerk", reason=ReleaseReason.WITHDRAWN)

    at_once(batch, batch, refresh, place_and_release, place_and_release)
    assert all(before == after for before, after in batches)  # nobody wrote while a batch had the lock
    held = library.held()
    assert len([one for one in held if one.startswith("case-")]) == 2 * ROUNDS
    assert {held[f"fine-{n}"].ground for n in range(20)} == {f"round-{ROUNDS - 1}"}
    with library.engine.connect() as connection:
        result = verify(connection, library.settings.seals, Copies(library.settings.checkpoints))
    assert (result.verdict, result.entries) == (Verdict.OK, len(library.entries()))
    kinds = [kind for kind, _ in library.entries()]
    assert kinds.count("hold_placed") == kinds.count("hold_released") == 2 * ROUNDS
    assert "hold_source_untrusted" not in kinds
