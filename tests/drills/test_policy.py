"""A poisoned policy is deployed in the middle of a run, between any two of its steps: nothing is done by it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.drills import large_shop
from tests.holdfast.retention.shop import FAT, NIGHT, Document, Shop, once

from holdfast.enforcement import execute
from holdfast.errors import HoldfastError, PolicyError
from holdfast.evidence.verify import Verdict
from holdfast.retention import steps

ROWS = 30
Documents = dict[str, Document]


def shorter(documents: Documents) -> None:
    for one in documents["retention_schedule"]["classes"].values():
        one["period"] = "P1D"


def without_holds(documents: Documents) -> None:
    for rule in documents["retention_schedule"]["rules"].values():
        rule["strength"] = "maximum"
        rule["holds"] = []


def everything_at_once(documents: Documents) -> None:
    shorter(documents)
    without_holds(documents)
    documents["retention_schedule"]["caps"] = large_shop.WIDE_CAPS
    documents["retention_schedule"]["approvers"] = {"mallory": "Whoever wrote this"}


def hostile_names(documents: Documents) -> None:
    datasets = documents["data_map"]["datasets"]
    datasets["purchases"]["table"] = 'shop.purchase"; DROP TABLE shop.customer; --'
    datasets["visits"]["key"] = ["visit_id); DELETE FROM shop.visit; --"]


def edited(edit: Callable[[Documents], object]) -> Callable[[Shop], None]:
    return lambda shop: shop.set_policy(edit)


def written(change: Callable[[bytes], bytes | None]) -> Callable[[Shop], None]:
    """Write each file anew; None removes it."""

    def poison(shop: Shop) -> None:
        for path in sorted(shop.settings.policy.glob("*.yaml")):
            content = change(path.read_bytes())
            path.unlink() if content is None else path.write_bytes(content)

    return poison


POISONS: dict[str, Callable[[Shop], None]] = {
    "shorter periods": edited(shorter),
    "no holds": edited(without_holds),
    "shorter periods, no holds, no caps, another approver": edited(everything_at_once),
    "hostile names": edited(hostile_names),
    "half of each file": written(lambda content: content[: len(content) // 2]),
    "empty files": written(lambda _: b""),
    "no files": written(lambda _: None),
    "a folder of random bytes": written(lambda content: bytes(reversed(content))),
    "a billion laughs": written(lambda _: b"a: &a [x,x,x,x]\n" + b"b: [" + b"*a," * 9_999 + b"*a]\n"),
}
STEPS = ("open_run", "refresh_holds", "check_policy", "make_plan", "wave_1", "wave_2", "wave_3", "wave_4", "verify_run")


@pytest.fixture
def filled(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """Purchases that are due, one under a hold, one that is not due, and visits of each kind."""
    monkeypatch.setattr(execute, "ROWS_PER_BATCH", 100)
    shop.set_policy()
    shop.purchases(range(ROWS), note=FAT)
    shop.purchases([97], customer_no=7)
    shop.purchases([98], bought_on="2024-02-20")
    shop.add("visit", {"visit_id": 1, "customer_no": 1, "seen_at": "2023-11-05"})
    shop.add("visit", {"visit_id": 2, "customer_no": 1, "seen_at": "2024-02-20"})
    shop.hold("matter-7", subject_key="7")
    return shop


def take(shop: Shop, step: str, run_id: int) -> int:
    """One step of the night, as its task takes it; the run's number."""
    given: tuple[Any, ...] = (shop.engine, shop.settings)
    if step == "open_run":
        return int(str(steps.open_run(*given, as_of=NIGHT, dry_run=False)["run_id"]))
    if step.startswith("wave_"):
        for group in steps.list_shards(*given, run_id=run_id, wave=int(step.removeprefix("wave_"))):
            steps.enforce_shards(*given, **group)  # type: ignore[arg-type]
    else:
        getattr(steps, step)(*given, run_id=run_id)
    return run_id


def contents(shop: Shop) -> list[list[str]]:
    return [shop.contents(table) for table in ("purchase", "visit", "customer")]


def assert_ended_right(shop: Shop, run_id: int) -> None:
    assert shop.state(run_id) == "sealed"
    assert shop.ids("purchase", "purchase_id") == {97, 98}
    assert shop.ids("visit", "visit_id") == {2}
    planned, done, in_ledger = large_shop.accounts(shop, run_id)
    assert planned == done == {"purchases-2y": ROWS, "visits-90d": 1}
    assert {rule: rows for rule, rows in in_ledger.items() if rows} == done
    assert shop.verify_ledger().verdict is Verdict.OK


@pytest.mark.parametrize("poison", POISONS.values(), ids=POISONS)
def test_no_step_goes_on_by_a_policy_that_is_not_the_one_of_its_run(
    filled: Shop, poison: Callable[[Shop], None]
) -> None:
    """Each remaining step is tried under the poison, as a scheduler would that ignores what failed before."""
    run_id = 0
    for place, step in enumerate(STEPS):
        run_id = take(filled, step, run_id)
        before = contents(filled)
        poison(filled)
        for later in STEPS[max(1, place + 1) :]:
            with pytest.raises(PolicyError):
                take(filled, later, run_id)
        assert contents(filled) == before
        filled.set_policy()
    steps.seal_run(filled.engine, filled.settings, run_id=run_id)
    steps.conclude(filled.engine, filled.settings, run_id=run_id)
    assert_ended_right(filled, run_id)


@pytest.mark.parametrize("poison", POISONS.values(), ids=POISONS)
def test_a_shard_at_work_ends_by_the_policy_it_began_with(filled: Shop, poison: Callable[[Shop], None]) -> None:
    run_id = filled.plan()
    for wave in (1, 2, 3, 4):
        for one in filled.shards(run_id, wave):
            filled.attempt(run_id, one["shard_id"], once("batch.committed", lambda: poison(filled)))
            filled.set_policy()
    filled.close(run_id)
    assert_ended_right(filled, run_id)


@pytest.mark.parametrize("name", ["hostile names", "half of each file", "empty files", "no files"])
def test_a_policy_that_is_broken_opens_no_run_and_the_next_night_heals(filled: Shop, name: str) -> None:
    before = contents(filled)
    POISONS[name](filled)
    with pytest.raises(HoldfastError):
        filled.night()
    assert contents(filled) == before
    filled.set_policy()
    assert_ended_right(filled, filled.night())
