"""The hotel of retention's comparison, where some columns can be erased alone, and random requests about its guests."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st
from tests.holdfast.retention.equivalence import hotel
from tests.holdfast.retention.equivalence.hotel import SHAPES, World, key_of

from holdfast.policy.model import Policy

ABOUT_SOMEBODY = [name for name, shape in SHAPES.items() if "none" not in shape.subject]
STATES = {
    "received": 1,
    "identity_pending": 1,
    "verified": 2,
    "assessed": 1,
    "approved": 4,
    "executing": 4,
    "partly_completed": 4,
    "completed": 1,
    "withdrawn": 1,
}
"""How often each is drawn: those that may be carried out are the ones that can do harm."""
NAME, TASTE = "name", "taste"
_IN_PART = ("bookings", "keycard-uses", "charges", "remarks")
_COLUMNS: dict[str, dict[str, Any]] = {
    NAME: {"sensitivity": "ordinary", "legal_basis": "contract", "in_part": {"to": "constant", "value": "gone"}},
    TASTE: {"sensitivity": "ordinary", "legal_basis": "contract", "in_part": {"to": "null"}},
}


@dataclass(frozen=True)
class Ask:
    """One request. `parts` are (dataset, category, record key), none for the whole account; `until` after a replay."""

    reference: str
    subject: int
    state: str
    withdraw_until: dt.date | None
    has_address: bool
    until: dt.date | None
    parts: tuple[tuple[str | None, str | None, str | None], ...]


@dataclass(frozen=True, repr=False)
class Inn:
    """A hotel's world, with requests."""

    world: World
    asks: tuple[Ask, ...]


def with_tastes(policy: Policy) -> Policy:
    """Of some datasets, `kind` is information of its own: there one column can be emptied and the record stays."""
    data_map = policy.data_map.model_dump(by_alias=True)
    for name in _IN_PART:
        dataset = data_map["datasets"][name]
        dataset["columns"] = {
            "nickname": {"category": NAME, **_COLUMNS[NAME]},
            "kind": {"category": TASTE, **_COLUMNS[TASTE]},
        }
        if name == "charges":
            del dataset["columns"]["kind"]["in_part"]  # it stays whatever is asked for
    return policy.model_copy(update={"data_map": type(policy.data_map).model_validate(data_map)})


@st.composite
def inns(draw: st.DrawFn) -> Inn:
    """Some rows, holds and rules, and up to eight requests about four guests and a stranger."""
    world = draw(hotel.worlds())
    world = replace(world, policy=with_tastes(world.policy))
    days = [day for day in hotel.telling_days(world.as_of) if day is not None and dt.date(1900, 1, 1) <= day]
    days = [day for day in days if day <= world.as_of]
    asks = tuple(draw(_ask(world, number, days)) for number in range(draw(st.integers(1, 8))))
    return Inn(world, asks)


@st.composite
def _ask(draw: st.DrawFn, world: World, number: int, days: list[dt.date]) -> Ask:
    state = draw(st.sampled_from([name for name, often in STATES.items() for _ in range(often)]))
    replayed = state == "partly_completed" and draw(st.booleans())
    around = (world.as_of - dt.timedelta(days=1), world.as_of, world.as_of + dt.timedelta(days=1))
    return Ask(
        reference=f"ask-{number}",
        subject=draw(st.sampled_from((1, 2, 3, 99))),
        state=state,
        withdraw_until=draw(st.sampled_from(around)) if state == "verified" else None,
        has_address=draw(st.sampled_from((True, True, False))),
        until=draw(st.sampled_from(days)) if replayed else None,
        parts=tuple(draw(_parts(world))),
    )


@st.composite
def _parts(draw: st.DrawFn, world: World) -> list[tuple[str | None, str | None, str | None]]:
    if draw(st.integers(0, 2)) == 0:
        return []
    records = [(name, key_of(name, row)) for name in ABOUT_SOMEBODY for row in world.rows[name]]
    parts: list[tuple[str | None, str | None, str | None]] = []
    for kind in draw(st.lists(st.sampled_from(("dataset", "record", "record", "category")), min_size=1, max_size=4)):
        if kind == "dataset":
            parts.append((draw(st.sampled_from(ABOUT_SOMEBODY)), None, None))
        elif kind == "category":
            parts.append((None, draw(st.sampled_from((NAME, TASTE))), None))
        else:
            dataset, key = draw(st.sampled_from([*records, ("bookings", "4711")]))
            parts.append((dataset, None, key))
    return list(dict.fromkeys(parts))


def counting_from_bookings(inn: Inn) -> Inn:
    """The same, where uses of a keycard are only ever made anonymous, so long after their guest's last booking.

    Bookings are asked for as such, and of the uses one category: whoever empties it has not dealt with the use.
    """
    schedule = inn.world.policy.schedule.model_dump(by_alias=True)
    for rule in schedule["rules"].values():
        if rule["dataset"] == "keycard-uses":
            rule["start"] = {**hotel.SHAPES["keycard-uses"].starts[2], "missing": "unknown"}
            rule["action"] = {"do": "anonymise", "columns": {"nickname": {"to": "null"}}}
            rule["strength"] = "maximum"
    policy = inn.world.policy
    policy = policy.model_copy(update={"schedule": type(policy.schedule).model_validate(schedule)})
    asks = [
        Ask(f"last-{subject}", subject, "executing", None, True, None, (("bookings", None, None), (None, TASTE, None)))
        for subject in (1, 2, 3)
    ]
    return replace(inn, world=replace(inn.world, policy=policy, holds=inn.world.holds[:2]), asks=(*inn.asks[:2], *asks))
