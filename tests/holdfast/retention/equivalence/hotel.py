"""A hotel whose tables have every shape that a policy can name, and random policies, rows and holds for it.

Nothing here is the synthetic provider's: other names, other key types, other ways to a subject. A row is a dictionary
of plain Python values; `ENDLESS` and `AGES_AGO` stand for PostgreSQL's infinity and -infinity.
"""

from __future__ import annotations

import datetime as dt
import itertools
import uuid
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from holdfast import clock
from holdfast.clock import Period
from holdfast.policy.model import Policy

LONDON, NEW_YORK = ZoneInfo("Europe/London"), ZoneInfo("America/New_York")
ENDLESS, AGES_AGO = dt.date.max, dt.date.min
YEAR_END = (3, 31)

TABLES = """
CREATE SCHEMA hotel;
CREATE TABLE hotel.guest (guest_no bigint PRIMARY KEY, joined_on date, left_on date, kind text, nickname text);
CREATE TABLE hotel.booking (
    booking_id bigint PRIMARY KEY, guest_no integer, made_on date, left_on date, kind text, nickname text
);
CREATE TABLE hotel.keycard_use (
    use_id integer PRIMARY KEY, guest_no smallint, used_at timestamptz, kind text, nickname text
);
CREATE TABLE hotel.gate_pass (
    pass_id uuid PRIMARY KEY, guest_no bigint, passed_at timestamp, kind text, nickname text
);
CREATE TABLE hotel.charge (
    booking_id bigint REFERENCES hotel.booking, line_no integer, made_on date, kind text, nickname text,
    PRIMARY KEY (booking_id, line_no)
);
CREATE TABLE hotel.remark (
    remark_id bigint PRIMARY KEY, booking_id bigint, line_no integer, said_on date, kind text, nickname text
);
CREATE TABLE hotel.loyalty_card (
    card_code varchar(12) PRIMARY KEY, holder bigint, issued_at timestamptz, kind text, nickname text
);
CREATE TABLE hotel.stay (stay_id bigint PRIMARY KEY, guest_no bigint, day date, kind text, nickname text);
CREATE TABLE hotel.room (
    room_id bigint PRIMARY KEY, above bigint REFERENCES hotel.room, emptied_on date, kind text, nickname text
);
CREATE TABLE hotel.voucher (voucher_id bigint PRIMARY KEY, booking_id bigint REFERENCES hotel.booking);
"""


@dataclass(frozen=True)
class Shape:
    """One dataset: table, key, subject as the data map says it, event, and the start events a rule may name."""

    table: str
    key: tuple[str, ...]
    subject: dict[str, Any]
    event: str | None
    days: dict[str, str]  # column -> date, instant or naive
    starts: tuple[dict[str, Any], ...]


def _through(dataset: str, *columns: str) -> dict[str, Any]:
    return {"through": {"columns": list(columns), "dataset": dataset}}


SHAPES: dict[str, Shape] = {
    "guests": Shape(
        "guest",
        ("guest_no",),
        {"column": "guest_no"},
        "joined_on",
        {"joined_on": "date", "left_on": "date"},
        ({"column": "left_on"}, {"column": "joined_on"}),
    ),
    "bookings": Shape(
        "booking",
        ("booking_id",),
        {"column": "guest_no"},
        "made_on",
        {"made_on": "date", "left_on": "date"},
        (
            {"column": "made_on"},
            {"column": "left_on"},
            {"dataset": "guests", "link": "key", "by": ["guest_no"], "column": "left_on"},
        ),
    ),
    "keycard-uses": Shape(
        "keycard_use",
        ("use_id",),
        {"column": "guest_no"},
        "used_at",
        {"used_at": "instant"},
        (
            {"column": "used_at"},
            {"dataset": "guests", "link": "subject", "column": "left_on"},
            {"dataset": "bookings", "link": "subject", "column": "made_on"},
        ),
    ),
    "gate-passes": Shape(
        "gate_pass",
        ("pass_id",),
        {"column": "guest_no"},
        "passed_at",
        {"passed_at": "naive"},
        ({"column": "passed_at"},),
    ),
    "charges": Shape(
        "charge",
        ("booking_id", "line_no"),
        _through("bookings", "booking_id"),
        None,
        {"made_on": "date"},
        (
            {"column": "made_on"},
            {"dataset": "bookings", "link": "path", "column": "left_on"},
            {"dataset": "bookings", "link": "key", "by": ["booking_id"], "column": "made_on"},
        ),
    ),
    "remarks": Shape(
        "remark",
        ("remark_id",),
        _through("charges", "booking_id", "line_no"),
        "said_on",
        {"said_on": "date"},
        (
            {"column": "said_on"},
            {"dataset": "charges", "link": "path", "column": "made_on"},
            {"dataset": "bookings", "link": "path", "column": "made_on"},
            {"dataset": "charges", "link": "key", "by": ["booking_id", "line_no"], "column": "made_on"},
        ),
    ),
    "loyalty-cards": Shape(
        "loyalty_card",
        ("card_code",),
        _through("guests", "holder"),
        "issued_at",
        {"issued_at": "instant"},
        (
            {"column": "issued_at"},
            {"dataset": "guests", "link": "path", "column": "left_on"},
            {"dataset": "bookings", "link": "subject", "column": "left_on"},
        ),
    ),
    "stays": Shape(
        "stay",
        ("stay_id",),
        {"column": "guest_no"},
        "day",
        {"day": "date"},
        ({"column": "day"}, {"dataset": "gate-passes", "link": "subject", "column": "passed_at"}),
    ),
    "rooms": Shape(
        "room",
        ("room_id",),
        {"none": "Rooms are about nobody at all."},
        None,
        {"emptied_on": "date"},
        ({"column": "emptied_on"},),
    ),
}

FOREIGN_KEYS = (
    # child dataset (None: exempt), child table, its columns, parent dataset
    ("charges", "charge", ("booking_id",), "bookings"),
    ("rooms", "room", ("above",), "rooms"),
    (None, "voucher", ("booking_id",), "bookings"),
)

HOLD_TYPES = {"COURT": "legal", "UNPAID": "billing", "AUDIT": "audit"}
SOURCES = {"till": ("billing", "UNPAID"), "auditors": ("audit", "AUDIT")}
PERIODS = ("P0D", "P30D", "P1M", "P1M1D", "P1Y", "P2Y")
DAYS_TO_JUDGE = tuple(
    dt.date.fromisoformat(day)
    for day in ("2024-02-29", "2024-03-31", "2024-04-01", "2024-05-30", "2024-10-28", "2025-03-01")
)
WHERES: tuple[list[dict[str, Any]], ...] = (
    [],
    [{"column": "kind", "is_in": ["a"]}],
    [{"column": "kind", "is_in": ["a", "b"]}],
    [{"column": "kind", "is_null": True}],
    [{"column": "kind", "is_null": False}, {"column": "nickname", "is_in": ["Ann", "gone"]}],
)
NICKNAMES = ("Ann", "gone", "p1:" + "0" * 32, None)
STRATEGIES = ({"to": "null"}, {"to": "constant", "value": "gone"}, {"to": "pseudonym", "purpose": "nick"})


@dataclass(frozen=True)
class Hold:
    """One row of the register, as the tests write it. `released` is before or after the plan, or None."""

    hold_type: str
    subject: int | None
    datasets: tuple[str, ...] | None
    record_key: str | None
    period_from: dt.date | None
    period_to: dt.date | None
    ends_on: dt.date | None
    released: str | None


@dataclass(frozen=True, repr=False)
class World:
    """Everything one comparison is about."""

    as_of: dt.date
    policy: Policy
    rows: dict[str, list[dict[str, Any]]]
    vouchers: list[dict[str, int]]
    holds: list[Hold]
    untrusted: tuple[str, ...]


def key_of(dataset: str, row: dict[str, Any]) -> str:
    """The key as holds write it."""
    return "|".join(str(row[column]) for column in SHAPES[dataset].key)


def zone_of(dataset: str) -> str:
    """How a timestamp without zone is to be read."""
    return "America/New_York" if dataset == "gate-passes" else "UTC"


# --- random policies --------------------------------------------------------------------------------------------


@st.composite
def _rule(draw: st.DrawFn, dataset: str) -> dict[str, Any]:
    start = dict(draw(st.sampled_from(SHAPES[dataset].starts)))
    start["missing"] = draw(st.sampled_from(("unknown", "not_started")))
    start["counts_from"] = draw(st.sampled_from(("event", "event", "end_of_accounting_period")))
    action: dict[str, Any] = {"do": "delete"}
    if draw(st.integers(0, 3)) == 0:
        action = {"do": "anonymise", "columns": {"nickname": draw(st.sampled_from(STRATEGIES))}}
    return {
        "dataset": dataset,
        "deletion_class": draw(st.sampled_from(PERIODS)).lower(),
        "where": draw(st.sampled_from(WHERES)),
        "start": start,
        "action": action,
        "strength": draw(st.sampled_from(("statutory", "business", "maximum", "maximum"))),
        "holds": draw(st.sampled_from(("all", "all", ["COURT"], ["COURT", "UNPAID"]))),
        "undo_days": draw(st.sampled_from((None, None, 1, 7))),
        "law": "Whatever the test says.",
        "source": "nowhere",
        "owner": "desk",
    }


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Any rules for these datasets: also such as no sensible policy has, for they are decided all the same."""
    rules = {}
    for dataset in SHAPES:
        for n in range(draw(st.sampled_from((1, 1, 2, 2, 3)))):
            rules[f"{dataset}-{n}"] = draw(_rule(dataset))
    return Policy.model_validate(
        {
            "data_map": _DATA_MAP,
            "schedule": {
                "version": 1,
                "time_zone": "Europe/London",
                "accounting_year_end": "03-31",
                "caps": {"rows": 1000, "share": 1, "overdue_days": 10_000},
                "approvers": {"dpo": "Data protection officer"},
                "classes": {p.lower(): {"period": p, "starts": "creation"} for p in PERIODS},
                "rules": rules,
            },
            "holds": _HOLDS,
            "digest": "sha256:" + "0" * 64,
        }
    )


_OWNER = {"owner": "desk", "description": "A table of the hotel."}
_PERSONAL = {"category": "name", "sensitivity": "ordinary", "legal_basis": "contract"}
_DATA_MAP = {
    "version": 1,
    "schemas": ["hotel"],
    "datasets": {
        name: {
            "table": f"hotel.{shape.table}",
            "key": list(shape.key),
            "subject": shape.subject,
            "event": shape.event,
            "time_zone": zone_of(name),
            "columns": {"nickname": _PERSONAL},
            **_OWNER,
        }
        for name, shape in SHAPES.items()
    },
    "exemptions": {"hotel.voucher": {"reason": "Names nobody.", "owner": "desk", "review_by": "2030-01-01"}},
}
_HOLDS = {
    "version": 1,
    "types": {
        name: {
            "authority": authority,
            "meaning": "Somebody needs the record.",
            "ground": "Whatever the test says.",
            "disclosable": name != "COURT",
            "review_after": "P6M",
            "by_hand": True,
        }
        for name, authority in HOLD_TYPES.items()
    },
    "sources": {
        name: {"authority": authority, "types": [kind], "max_age_hours": 30, "max_shrink": 0.5, "owner": "desk"}
        for name, (authority, kind) in SOURCES.items()
    },
}


# --- random rows and holds --------------------------------------------------------------------------------------


def telling_days(as_of: dt.date) -> list[dt.date | None]:
    """The days on which something changes: the last due start of each period and the next day, and odd ones."""
    acting = [as_of + dt.timedelta(days=window) for window in (0, 1, 7)]
    edges = {clock.last_due_start(Period.parse(period), day) for period in PERIODS for day in acting}
    edges |= {clock.last_day_of_accounting_period_before(day, YEAR_END) for day in edges}
    near = {edge + dt.timedelta(days=n) for edge in edges for n in (0, 1)}
    odd = [None, None, AGES_AGO, ENDLESS, dt.date(1, 1, 1), dt.date(1899, 12, 31), dt.date(1900, 1, 1)]
    return [*sorted(near), *odd, as_of, as_of + dt.timedelta(days=1), as_of - dt.timedelta(days=45)]


def _moments(days: list[dt.date | None]) -> list[dt.date | dt.datetime | None]:
    """The first and last microsecond of each of these days in London."""
    found: list[dt.date | dt.datetime | None] = []
    for day in days:
        if day is None or day in (ENDLESS, AGES_AGO):
            found.append(day)
            continue
        begins = dt.datetime.combine(day, dt.time(), tzinfo=LONDON)
        ends = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), tzinfo=LONDON)
        found += [begins.astimezone(dt.UTC), ends.astimezone(dt.UTC) - dt.timedelta(microseconds=1)]
    return found


def _naive(moment: dt.date | dt.datetime | None) -> dt.date | dt.datetime | None:
    return moment.astimezone(NEW_YORK).replace(tzinfo=None) if isinstance(moment, dt.datetime) else moment


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A day, a policy, some sixty rows, some ten holds and perhaps a source that is not believed."""
    as_of = draw(st.sampled_from(DAYS_TO_JUDGE))
    days = telling_days(as_of)
    moments = _moments(days)
    pools: dict[str, list[Any]] = {"date": days, "instant": moments, "naive": [_naive(one) for one in moments]}
    rows: dict[str, list[dict[str, Any]]] = {}
    for dataset in SHAPES:
        keys = _keys(draw, dataset, rows)
        rows[dataset] = [{**key, **draw(_values(dataset, pools))} for key in keys]
    bookings = [row["booking_id"] for row in rows["bookings"]]
    vouchers = [{"voucher_id": n, "booking_id": one} for n, one in enumerate(bookings) if draw(st.integers(0, 4)) == 0]
    holds = draw(st.lists(_hold(rows, days, as_of), max_size=12))
    untrusted = draw(st.sampled_from(((), (), (), ("till",), ("auditors",), ("auditors", "till"))))
    return World(as_of, draw(policies()), rows, vouchers, holds, untrusted)


@st.composite
def _values(draw: st.DrawFn, dataset: str, pools: dict[str, list[Any]]) -> dict[str, Any]:
    shape = SHAPES[dataset]
    values = {column: draw(st.sampled_from(pools[kind])) for column, kind in shape.days.items()}
    values["kind"] = draw(st.sampled_from(("a", "b", "c", None)))
    values["nickname"] = draw(st.sampled_from(NICKNAMES))
    if shape.subject.get("column") not in (None, *shape.key):
        values[shape.subject["column"]] = draw(st.sampled_from((1, 2, 3, 99, None)))
    return values


def _keys(draw: st.DrawFn, dataset: str, rows: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Keys and references: some lead nowhere where no foreign key forbids it."""
    number = draw(st.integers(0, 10))
    match dataset:
        case "guests":
            return [{"guest_no": n} for n in draw(st.sets(st.sampled_from((1, 2, 3, 4))))]
        case "gate-passes":
            return [{"pass_id": str(uuid.UUID(int=n))} for n in range(number)]
        case "charges":
            bookings = [row["booking_id"] for row in rows["bookings"]]
            return [
                {"booking_id": booking, "line_no": line}
                for booking, line in itertools.product(bookings, (1, 2))
                if draw(st.booleans())
            ]
        case "remarks":
            charges = [(row["booking_id"], row["line_no"]) for row in rows["charges"]]
            picked = st.sampled_from([*charges, (77, 1), (None, None), (1, None)])
            links = [draw(picked) for _ in range(number)]
            return [{"remark_id": n, "booking_id": a, "line_no": b} for n, (a, b) in enumerate(links)]
        case "loyalty-cards":
            holder = st.sampled_from((1, 2, 3, 99, None))
            return [{"card_code": f"C-{n}", "holder": draw(holder)} for n in range(number)]
        case "rooms":
            # A room may be above one that comes before it, or above itself.
            above = [draw(st.sampled_from((None, None, *range(n + 1)))) for n in range(number)]
            return [{"room_id": n, "above": below} for n, below in enumerate(above)]
    return [{SHAPES[dataset].key[0]: n} for n in range(number)]


@st.composite
def _hold(draw: st.DrawFn, rows: dict[str, list[dict[str, Any]]], days: list[dt.date | None], as_of: dt.date) -> Hold:
    scope = draw(st.sampled_from(("class", "subject", "subject", "record", "record")))
    datasets: tuple[str, ...] | None = draw(
        st.sampled_from((None, None, ("bookings",), ("charges", "stays"), ("rooms",), tuple(SHAPES)))
    )
    record_key = subject = None
    if scope == "record":
        known = [(dataset, key_of(dataset, row)) for dataset, some in rows.items() for row in some]
        dataset, record_key = draw(st.sampled_from([*known, ("bookings", "4711")]))
        datasets = (dataset,)
    if scope == "subject" or (scope == "record" and draw(st.integers(0, 3)) == 0):
        subject = draw(st.sampled_from((1, 2, 3, 99)))
    ends = st.sampled_from((None, None, as_of, as_of + dt.timedelta(days=1), as_of - dt.timedelta(days=1)))
    bounds = [None, None, *(day for day in days if day is not None and day not in (ENDLESS, AGES_AGO))]
    first, last = draw(st.sampled_from(bounds)), draw(st.sampled_from(bounds))
    if first is not None and last is not None and first >= last:
        first, last = (last, first) if last < first else (first, None)
    released = draw(st.sampled_from((None, None, None, "before", "after")))
    return Hold(
        draw(st.sampled_from(tuple(HOLD_TYPES))), subject, datasets, record_key, first, last, draw(ends), released
    )
