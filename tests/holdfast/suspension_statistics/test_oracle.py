"""Whatever the history, the figures are those that plain pandas finds, and they add up."""

from __future__ import annotations

import copy
import datetime as dt
import functools
import itertools
from typing import Any

from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as run_settings
from hypothesis import strategies as st
from tests.holdfast.suspension_statistics import oracle
from tests.holdfast.suspension_statistics.feed import (
    LONDON,
    Feed,
    check,
    decision,
    ending,
    escalation,
    notice,
    request,
    restoration,
)

from holdfast import database, settings
from holdfast.suspension_statistics import definitions, rules, store, terms

APRIL, MAY, JUNE = (dt.date(2026, month, 1) for month in (4, 5, 6))
START = dt.datetime(2026, 3, 25, tzinfo=LONDON)
HOURS = st.integers(0, 24 * 75)
minutes = st.integers(0, 9 * 1440)


def later(moment: dt.datetime, by: int) -> dt.datetime:
    return (moment.astimezone(dt.UTC) + dt.timedelta(minutes=by)).astimezone(LONDON)


@st.composite
def cases(draw: st.DrawFn, number: int) -> dict[str, list[dict[str, Any]]]:
    """One suspension and what followed, right or contradictory, with or without its decision."""
    key = f"d{number}"
    made = later(START, draw(HOURS) * 60 + number % 60)
    odd = draw(st.integers(0, 19))
    rows: dict[str, list[dict[str, Any]]] = {
        kind: [] for kind in ("decision", "notice", "request", "ending", "restoration", "escalation", "check")
    }
    orphan = odd == 0
    known = None if orphan else made
    if not orphan:
        rows["decision"].append(
            decision(
                key,
                made,
                subject_key=str(draw(st.integers(1, 6))),
                account_kind=draw(st.sampled_from(["individual", "business"])),
                automation="perhaps" if odd == 1 else draw(st.sampled_from(["fully", "fully", "partially", "not"])),
                person_acted=draw(st.booleans()),
                person_changed=draw(st.sampled_from([None, True, False])),
                detected_by_machine=draw(st.booleans()),
                restriction=draw(st.sampled_from(["partial", "total", "termination"])),
                reason=draw(st.sampled_from(["fraud", "identity"])),
                signal_family=draw(st.sampled_from(["traffic", "content"])),
                account_age="once" if odd == 9 else draw(st.sampled_from(["older", "under_a_year", None])),
                lawful_basis=draw(st.sampled_from(["contract", None, "recognised_legitimate_interests"])),
                rule_version=draw(st.sampled_from(["rules-1", "rules-2", None])),
                has_reasons=draw(st.booleans()),
                uses_special_category=draw(st.booleans()),
                not_told_because=draw(st.sampled_from([None, None, "tipping_off"])),
                planned_hours=-5 if odd == 2 else draw(st.sampled_from([None, 1, 24, 25, 168, 169, 720, 721])),
            )
        )
    for n in range(draw(st.integers(0, 2))):
        told = later(made, -30 if odd == 3 else draw(minutes))
        rows["notice"].append(notice(f"n{number}-{n}", key, told, known, offers=draw(st.booleans())))
    for n in range(draw(st.integers(0, 2))):
        asked = later(made, -90 if odd == 4 else draw(minutes))
        name = f"r{number}-{n}"
        kind = draw(st.sampled_from(["human_review", "contest", "representation"]))
        if odd != 5:
            rows["request"].append(request(name, key, asked, known, kind))
        outcomes = ["upheld", "overturned", "varied", "withdrawn", "omitted"]
        said = draw(st.sampled_from([*outcomes, None]))
        if said is not None:
            over = later(asked, -60 if odd == 6 else draw(minutes))
            looked = {
                "reviewer": draw(st.sampled_from(["anna", "ben"])),
                "seconds_spent": draw(st.sampled_from([5, 29, 30, 900])),
            }
            since = None if odd == 5 else asked
            rows["ending"].append(ending(f"e{number}-{n}", key, name, over, since, said, **looked))
            if odd == 7:
                rows["ending"].append(
                    ending(f"f{number}-{n}", key, name, over, since, draw(st.sampled_from(outcomes)), **looked)
                )
    if draw(st.booleans()):
        back = later(made, -10 if odd == 8 else draw(minutes))
        rows["restoration"].append(
            restoration(f"b{number}", key, back, known, draw(st.sampled_from(["ended", "review", "own_correction"])))
        )
    if draw(st.integers(0, 4)) == 0:
        rows["escalation"].append(
            escalation(
                f"x{number}",
                key,
                later(made, draw(minutes)),
                known,
                draw(st.sampled_from(["complaint", "adr", "ico", "court"])),
            )
        )
    if draw(st.integers(0, 2)) == 0:
        rows["check"].append(
            check(
                f"c{number}", key, later(made, draw(minutes)), known, right=draw(st.sampled_from([True, False, None]))
            )
        )
    return rows


@st.composite
def histories(draw: st.DrawFn) -> list[dict[str, list[dict[str, Any]]]]:
    """What the provider says at three moments: rows come late, some twice, and some are corrected at the last."""
    made = [draw(cases(number)) for number in range(draw(st.integers(1, 25)))]
    said: list[dict[str, list[dict[str, Any]]]] = []
    for turn in range(3):
        now = copy.deepcopy(said[-1]) if said else {kind: [] for kind in made[0]}
        for case in made:
            for kind, rows in case.items():
                for row in rows:
                    is_new = all(row["record_key"] != other["record_key"] for other in now[kind])
                    if is_new and (turn == 2 or draw(st.booleans())):
                        now[kind].append(row)
                        if draw(st.integers(0, 9)) == 0:
                            now[kind].append(row)
        if turn == 2:
            for row in now["ending"]:
                if draw(st.integers(0, 5)) == 0:
                    changed = {**row, "outcome": "varied"}
                    now["ending"] = [
                        changed if other["record_key"] == row["record_key"] else other for other in now["ending"]
                    ]
        said.append(now)
    return said


@functools.cache
def _policy(month: dt.date) -> tuple[definitions.Definitions, terms.Terms]:
    folder = settings.load().policy
    return definitions.load(folder)[0], terms.terms_of(folder, month)


def ours(feed: Feed, month: dt.date, known_until: dt.datetime) -> list[rules.Figure]:
    defined, holds = _policy(month)
    with database.transaction(feed.engine) as connection:
        figures = store.compute(connection, defined, holds, month, known_until)
    assert rules.broken_controls(figures, defined) == []
    return figures


@run_settings(
    max_examples=25,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(history=histories())
def test_any_history_gives_the_figures_of_plain_pandas_as_known_at_each_moment(
    feed: Feed, history: list[dict[str, list[dict[str, Any]]]]
) -> None:
    _empty(feed)
    moments = [later(START, (80 + 10 * turn) * 1440) for turn in range(3)]
    feed.end_days(APRIL, dt.date(2026, 5, 31))
    for said, moment in zip(history, moments, strict=True):
        feed.rows = said
        feed.take(moment)
    for month, (said, moment) in itertools.product((APRIL, MAY), zip(history, moments, strict=True)):
        expected = oracle.month_figures(said, feed.complete, month, moment)
        assert ours(feed, month, moment) == rules.complete(
            [rules.Figure(*place, *value) for place, value in expected.items()], _policy(month)[0]
        )


def _empty(feed: Feed) -> None:
    """As it was before the first example."""
    tables = ("link", "decision", "chain", "notice", "request", "ending", "restoration", "escalation", "check", "day")
    with database.transaction(feed.engine) as connection:
        for table in tables:  # a few rows each: cutting off as many files takes far longer
            connection.exec_driver_sql(f'DELETE FROM statistics."{table}"')
