"""The figures of a month a second time, in plain pandas and Python over what the feed says: no SQL, no code of ours.

It is written from docs/definitions.md alone. Figures that are nothing of nothing are left out.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

_MINUTE = dt.timedelta(minutes=1)
LONDON = ZoneInfo("Europe/London")
Place = tuple[str, str, str, str]
Value = tuple[int | None, int | None]
HOLIDAYS = {dt.date(2026, 4, 3), dt.date(2026, 4, 6), dt.date(2026, 5, 4), dt.date(2026, 5, 25), dt.date(2026, 8, 31)}


def month_figures(
    rows: Mapping[str, Sequence[Mapping[str, Any]]],
    complete: Mapping[dt.date, tuple[int, int, int | None, int | None]],
    month: dt.date,
    known_until: dt.datetime,
) -> dict[Place, Value]:
    """What the statistics of a month must say; `rows` are those that were delivered by `known_until`."""
    return _Month(rows, complete, month, known_until).figures()


class _Month:
    def __init__(self, rows: Any, complete: Any, month: dt.date, known_until: dt.datetime) -> None:
        self.first = month
        self.next = (month + dt.timedelta(days=31)).replace(day=1)
        self.known_until = known_until
        self.complete = complete
        tables = {kind: self._table(some) for kind, some in rows.items()}
        self.decision = self._judge_decisions(tables["decision"])
        self.events = {kind: self._join(tables[kind]) for kind in ("notice", "restoration", "check", "escalation")}
        self.endings = tables["ending"]
        self.request = self._judge_requests(self._join(tables["request"]))
        self.found: dict[Place, Value] = {}

    # --- the facts ---------------------------------------------------------------------------------------------

    def _table(self, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        latest: dict[str, dict[str, Any]] = {}
        for row in rows:
            latest[row["record_key"]] = dict(row)  # delivered twice is one
        made = [row for row in latest.values() if row["at"] is not None]
        for row in made:
            row["day"] = row["at"].astimezone(LONDON).date()
            since = row.get("measured_from")
            # In UTC: Python takes two moments of one zone apart by the clock on the wall.
            row["minutes"] = (
                None if since is None else (row["at"].astimezone(dt.UTC) - since.astimezone(dt.UTC)) // _MINUTE
            )
        return made

    def _judge_decisions(self, rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
        chain: dict[str, list[dict[str, Any]]] = {}
        for row in sorted(rows, key=lambda row: row["at"]):
            row["automatic"] = "not" if row["automation"] == "fully" and row["person_acted"] else row["automation"]
            row["fault"] = self._fault_of_decision(row)
            row["account_age"] = row["account_age"] or "not_recorded"
            chain.setdefault(row["subject_key"], []).append(row)
        for decisions in chain.values():
            months: set[tuple[int, int]] = set()
            for n, row in enumerate(decisions):
                row["earlier"] = decisions[:n]
                row["first"] = (row["day"].year, row["day"].month) not in months
                months.add((row["day"].year, row["day"].month))
        return {row["record_key"]: row for row in rows}

    def _fault_of_decision(self, row: dict[str, Any]) -> str | None:
        if row["planned_hours"] is not None and row["planned_hours"] < 0:
            return "ends_before_it_begins"
        if (
            row["automation"] not in ("fully", "partially", "not")
            or row["restriction"] not in ("partial", "total", "termination")
            or row["reason"] is None
            or row["account_age"] not in ("under_30_days", "under_a_year", "older", None)
        ):
            return "has_an_unknown_code"
        return None

    def _join(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for row in rows:
            decision = self.decision.get(row["case_key"])
            row["decision"] = decision
            if decision is None or row["minutes"] is None:
                row["fault"] = "without_decision"
            elif decision["fault"]:
                row["fault"] = "of_a_decision_set_aside"
            elif row["minutes"] < 0:
                row["fault"] = "before_its_decision"
            else:
                row["fault"] = None
        return rows

    def _judge_requests(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        ends: dict[str, list[dict[str, Any]]] = {}
        for row in self.endings:
            ends.setdefault(row["request_key"], []).append(row)
        for row in rows:
            mine = ends.get(row["record_key"], [])
            row["end"] = min(mine, key=lambda end: end["day"], default=None)
            if row["fault"] is None:
                if len({end["outcome"] for end in mine}) > 1:
                    row["fault"] = "ended_in_two_ways"
                elif any(end["minutes"] is None or end["minutes"] < 0 for end in mine):
                    row["fault"] = "ended_before_it_was_made"
        self.asked_keys = {row["record_key"] for row in rows}
        return rows

    # --- what is counted ---------------------------------------------------------------------------------------

    def _in(self, day: dt.date | None) -> bool:
        return day is not None and self.first <= day < self.next

    def _put(
        self, metric: str, basis: str, dimension: str, category: str, n: int | None, of_n: int | None = None
    ) -> None:
        if n or of_n:
            self.found[metric, basis, dimension, category] = (n, of_n)

    def _count(self, metric: str, basis: str, dimension: str, values: Iterable[str], *, of: int | None = None) -> None:
        for category, n in Counter(values).items():
            self._put(metric, basis, dimension, category, n, of)

    def _share(self, place: Place, flags: Sequence[bool]) -> None:
        self._put(*place, sum(flags), len(flags))

    def _places(self, metric: str, basis: str, dimension: str, values: Sequence[int], **shares: float) -> None:
        if values:
            series = pd.Series(sorted(values))
            for category, share in shares.items():
                value = int(series.iloc[max(0, math.ceil(round(share * len(series), 9)) - 1)])
                self._put(metric, basis, dimension, category, value, len(series))

    def figures(self) -> dict[Place, Value]:
        self.cohort = [row for row in self.decision.values() if self._in(row["day"]) and not row["fault"]]
        self.fully = [row for row in self.cohort if row["automatic"] == "fully"]
        self.asked = [row for row in self.request if not row["fault"]]
        self.of_month = [row for row in self.asked if self._in(row["decision"]["day"])]
        self.ended = [row for row in self.asked if row["end"] and self._in(row["end"]["day"])]
        self._flow()
        self._notices()
        self._requests()
        self._reviews()
        self._machine()
        self._people()
        self._set_aside()
        return self.found

    def _flow(self) -> None:
        self._put("M01", "decision", "all", "all", len(self.cohort))
        self._count("M02", "decision", "automation", (row["automatic"] for row in self.cohort))
        for metric, name in (
            ("M03", "restriction"), ("M04", "reason"), ("M04", "signal_family"), ("M04", "product"),
            ("M05", "account_kind"), ("M06", "detection_source"),
        ):  # fmt: skip
            self._count(metric, "decision", name, (row[name] for row in self.cohort))
        self._count(
            "M06",
            "decision",
            "detection",
            (("by_people", "by_machine")[row["detected_by_machine"]] for row in self.cohort),
        )
        hours = [row["planned_hours"] for row in self.cohort]
        self._count("M03", "decision", "duration", ("indefinite" if one is None else "finite" for one in hours))
        self._count("M03", "decision", "length", map(_length, hours))
        said = [row["automation"] == "fully" and row["automatic"] == "not" for row in self.cohort]
        self._put("M02", "decision", "said_fully_but_a_person_acted", "all", sum(said))
        firsts = [row for row in self.cohort if row["first"]]
        self._put("M07", "decision", "all", "all", len(firsts))
        self._count("M07", "decision", "account_kind", (row["account_kind"] for row in firsts))
        again = [bool(row["earlier"]) and (row["day"] - row["earlier"][-1]["day"]).days <= 90 for row in self.cohort]
        self._share(("M08", "decision", "after_any_decision", "all"), again)
        self._share(
            ("M08", "decision", "after_an_overturned_one", "all"), [self._after_overturned(row) for row in self.cohort]
        )
        active = [sum(counts[:2]) for day, counts in self.complete.items() if self._in(day)]
        self._put("M09", "decision", "all", "all", len(firsts), sum(active) if active else None)

    def _after_overturned(self, row: dict[str, Any]) -> bool:
        earlier = {one["record_key"] for one in row["earlier"]}
        days = [
            (row["day"] - end["day"]).days
            for end in self.endings
            if end["case_key"] in earlier and end["outcome"] == "overturned" and end["day"] <= row["day"]
        ]
        return bool(days) and min(days) <= 90

    def _notices(self) -> None:
        told, minutes, offered = [], [], []
        for row in self.cohort:
            mine = [one for one in self.events["notice"] if one["case_key"] == row["record_key"] and not one["fault"]]
            told.append("told" if mine else "exempt" if row["not_told_because"] else "not_told")
            if mine:
                minutes.append(min(one["minutes"] for one in mine))
                offered.append(any(one["offers_review"] for one in mine))
        for category in ("told", "not_told", "exempt"):
            self._put("M10", "decision", "told", category, told.count(category), len(told))
        self._share(("M10", "decision", "review_offered", "all"), offered)
        self._places("M11", "decision", "minutes_to_notice", minutes, median=0.5, p90=0.9, p95=0.95)
        grounds = (row["not_told_because"] for row, how in zip(self.cohort, told, strict=True) if how == "exempt")
        self._count("M12", "decision", "ground", grounds)

    def _requests(self) -> None:
        in_month = [row for row in self.asked if self._in(row["day"])]
        for metric, kind in (("M13", "human_review"), ("M14", "contest"), ("M15", "representation")):
            for basis, some in (("decision", self.of_month), ("event", in_month)):
                self._put(metric, basis, "all", "all", sum(row["kind"] == kind for row in some))
        self._places("M13", "event", "minutes_to_request", [row["minutes"] for row in in_month], median=0.5, p90=0.9)
        questioned = {row["case_key"] for row in self.asked if row["kind"] != "representation"}
        self._share(("M16", "decision", "all", "all"), [row["record_key"] in questioned for row in self.fully])
        known = [row for row in self.asked if row["day"] < self.next]
        still = [row for row in known if row["end"] is None or row["end"]["day"] >= self.next]
        last = self.next - dt.timedelta(days=1)
        ages = [_working_days(row["day"], last) for row in still]
        for category, low, high in (
            ("up_to_2_working_days", 0, 2),
            ("3_to_5", 3, 5),
            ("6_to_10", 6, 10),
            ("over_10", 11, 9999),
        ):
            self._put("M19", "event", "age", category, sum(low <= age <= high for age in ages), len(ages))
        if still:
            self._put(
                "M19", "event", "oldest_in_days", "all", max((last - row["day"]).days for row in still), len(still)
            )
        before = [
            row for row in known if row["day"] < self.first and not (row["end"] and row["end"]["day"] < self.first)
        ]
        self._put("M19", "event", "flow", "open_at_the_beginning", len(before))
        self._put("M19", "event", "flow", "asked_for", len(in_month))
        self._put("M19", "event", "flow", "open_at_the_end", len(still))
        over = [_how(row) for row in known if row["end"] and self._in(row["end"]["day"])]
        for category in ("decided", "withdrawn", "omitted"):
            self._put("M19", "event", "flow", category, over.count(category))

    def _reviews(self) -> None:
        for basis, some in (("decision", self.of_month), ("event", self.ended)):
            decided = [row for row in some if _how(row) == "decided"]
            self._put("M18", basis, "all", "all", len(decided))
            self._count("M22", basis, "outcome", (row["end"]["outcome"] if row["end"] else "pending" for row in some))
            wrong = sum(map(_is_overturned, some))
            self._put("M23", basis, "all", "of_decided", wrong, len(decided))
            self._put("M23", basis, "all", "of_all_ended_or_open", wrong, len(some))
            for family in {row["decision"]["signal_family"] for row in decided}:
                of_it = [row for row in decided if row["decision"]["signal_family"] == family]
                self._share(("M23", basis, "signal_family", family), list(map(_is_overturned, of_it)))
        decided = [row for row in self.ended if _how(row) == "decided"]
        self._places(
            "M20", "event", "minutes_to_decision", [row["end"]["minutes"] for row in decided], median=0.5, p90=0.9
        )
        self._put("M20", "decision", "kaplan_meier", "median", self._kaplan_meier(), len(self.of_month))
        in_time = [_working_days(row["day"], row["end"]["day"]) <= 2 for row in decided]
        self._share(("M21", "event", "all", "all"), in_time)
        back = self._restorations()
        asked = {row["case_key"] for row in self.request}
        own = [
            one
            for one in back.values()
            if one["cause"] == "own_correction" and self._in(one["day"]) and one["case_key"] not in asked
        ]
        self._put("M24", "event", "all", "all", len(own))
        by_review = [one for one in back.values() if one["cause"] == "review"]
        of_month = [one["minutes"] for one in by_review if self._in(one["decision"]["day"])]
        in_month = [one["minutes"] for one in by_review if self._in(one["day"])]
        self._places("M25", "decision", "minutes_wrongly_suspended", of_month, median=0.5)
        self._places("M25", "event", "minutes_wrongly_suspended", in_month, median=0.5)
        quick = [
            row["case_key"] in back
            and back[row["case_key"]]["minutes"] - row["minutes"] - row["end"]["minutes"] <= 1440
            for row in self.ended
            if row["end"]["outcome"] == "overturned"
        ]
        self._share(("M26", "event", "all", "all"), quick)

    def _restorations(self) -> dict[str, dict[str, Any]]:
        first: dict[str, dict[str, Any]] = {}
        for row in sorted(
            (one for one in self.events["restoration"] if not one["fault"]), key=lambda row: row["minutes"]
        ):
            first.setdefault(row["case_key"], row)
        return first

    def _kaplan_meier(self) -> int | None:
        until = self.known_until.astimezone(LONDON).date()
        times = [
            (row["end"]["minutes"], _how(row) == "decided")
            if row["end"]
            else (max(0, ((until - row["day"]).days - 1) * 1440), False)
            for row in self.of_month
        ]
        survival = Fraction(1)
        for time in sorted({time for time, ended in times if ended}):
            at_risk = sum(other >= time for other, _ in times)
            ended = sum(other == time and is_end for other, is_end in times)
            survival *= Fraction(at_risk - ended, at_risk)
            if survival <= Fraction(1, 2):
                return time
        return None

    def _machine(self) -> None:
        checks = [row for row in self.events["check"] if self._in(row["day"]) and not row["fault"]]
        self._put("M17", "event", "all", "all", len(checks))
        found = [row for row in checks if row["decision"]["automatic"] == "fully" and row["was_right"] is not None]
        for metric, right in (("M27", True), ("M28", False)):
            self._share((metric, "event", "all", "all"), [row["was_right"] is right for row in found])
            for family in {row["decision"]["signal_family"] for row in found}:
                some = [row["was_right"] is right for row in found if row["decision"]["signal_family"] == family]
                self._share((metric, "event", "signal_family", family), some)
        wrong = {row["case_key"] for row in self.asked if _is_overturned(row)}
        self._share(("M29", "decision", "all", "all"), [row["record_key"] in wrong for row in self.fully])
        for family in {row["signal_family"] for row in self.fully}:
            some = [row["record_key"] in wrong for row in self.fully if row["signal_family"] == family]
            self._share(("M29", "decision", "signal_family", family), some)
        looks = [counts[2:] for day, counts in self.complete.items() if self._in(day) and counts[2] is not None]
        if looks:
            self._put("M30", "event", "all", "all", sum(one[1] for one in looks), sum(one[0] for one in looks))
        versions = (row["rule_version"] or "not_recorded" for row in self.fully)
        self._count("M31", "decision", "rule_version", versions, of=len(self.fully))
        decided = [row for row in self.of_month if _how(row) == "decided"]
        for name in ("region", "account_age", "account_kind"):
            self._count("M32", "decision", name, (row[name] for row in self.cohort), of=len(self.cohort))
            for category in {row["decision"][name] for row in decided}:
                some = [_is_overturned(row) for row in decided if row["decision"][name] == category]
                self._share(("M32", "decision", f"overturned_by_{name}", category), some)
        partly = [row for row in self.cohort if row["automatic"] == "partially" and row["person_changed"] is not None]
        self._share(("M33", "decision", "all", "all"), [row["person_changed"] for row in partly])
        rli = [row["lawful_basis"] == "recognised_legitimate_interests" for row in self.fully]
        self._share(("M40", "decision", "all", "all"), rli)
        self._share(("M41", "decision", "all", "all"), [row["uses_special_category"] for row in self.cohort])
        for name in ("lawful_basis", "rule_version"):
            self._share(("M42", "decision", "missing", name), [row[name] is None for row in self.cohort])
        self._share(("M42", "decision", "missing", "reasons"), [not row["has_reasons"] for row in self.cohort])
        for metric, kinds in (("M37", ("complaint",)), ("M38", ("adr",)), ("M39", ("ico", "court"))):
            some = [row["kind"] for row in self.events["escalation"] if self._in(row["day"]) and not row["fault"]]
            self._count(metric, "event", "kind", (kind for kind in some if kind in kinds))

    def _people(self) -> None:
        ends = [row["end"] for row in self.ended if _how(row) == "decided"]
        self._places(
            "M34",
            "event",
            "seconds_spent",
            [end["seconds_spent"] for end in ends if end["seconds_spent"] is not None],
            median=0.5,
        )
        seen = [end["evidence_viewed"] for end in ends if end["evidence_viewed"] is not None]
        self._share(("M34", "event", "evidence_viewed", "all"), seen)
        known = [not end["reviewer_is_decider"] for end in ends if end["reviewer_is_decider"] is not None]
        self._share(("M35", "event", "all", "all"), known)
        frame = pd.DataFrame(ends, columns=["reviewer", "outcome", "seconds_spent"])
        frame["wrong"] = frame["outcome"].isin(["overturned", "varied"])
        bands: Counter[str] = Counter()
        stamps = 0
        for _, mine in frame[frame["reviewer"].notna()].groupby("reviewer"):
            if len(mine) < 10:
                continue
            share = Fraction(int(mine["wrong"].sum()), len(mine))
            bands[_band(share)] += 1
            median = sorted(mine["seconds_spent"])[math.ceil(len(mine) / 2) - 1]
            stamps += 1 - share >= Fraction(99, 100) and median < 30
        self._put("M36", "event", "rubber_stamps", "all", stamps, sum(bands.values()))
        for category in ("none", "up_to_10_percent", "up_to_25_percent", "up_to_50_percent", "over_50_percent"):
            self._put("M36", "event", "reviewers_by_share_overturned", category, bands[category], sum(bands.values()))

    def _set_aside(self) -> None:
        faults = {"decision": list(self.decision.values()), "request": self.request, **self.events}
        for kind, rows in faults.items():
            self._count("U01", "event", kind, (row["fault"] for row in rows if row["fault"] and self._in(row["day"])))
        lost = [row for row in self.endings if self._in(row["day"]) and row["request_key"] not in self.asked_keys]
        self._put("U01", "event", "ending", "without_request", len(lost))


def _how(row: Mapping[str, Any]) -> str | None:
    if row["end"] is None:
        return None
    outcome = str(row["end"]["outcome"])
    return "decided" if outcome in ("upheld", "overturned", "varied") else outcome


def _is_overturned(row: Mapping[str, Any]) -> bool:
    return row["end"] is not None and row["end"]["outcome"] in ("overturned", "varied")


def _working_days(start: dt.date, end: dt.date) -> int:
    days = (start + dt.timedelta(days=n) for n in range(1, (end - start).days + 1))
    return sum(day.weekday() < 5 and day not in HOLIDAYS for day in days)


def _length(hours: int | None) -> str:
    if hours is None:
        return "indefinite"
    return next(
        (
            name
            for bound, name in ((24, "up_to_a_day"), (168, "up_to_7_days"), (720, "up_to_30_days"))
            if hours <= bound
        ),
        "longer",
    )


def _band(share: Fraction) -> str:
    bounds = ((0, "none"), (10, "up_to_10_percent"), (25, "up_to_25_percent"), (50, "up_to_50_percent"))
    return next((name for bound, name in bounds if share * 100 <= bound), "over_50_percent")
