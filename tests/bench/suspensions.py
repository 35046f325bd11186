"""Suspension statistics: a month's report out of 36 months of facts, against the bare queries that its figures need."""

from __future__ import annotations

import datetime as dt
import os
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from dateutil.relativedelta import relativedelta
from tests.bench import page
from tests.bench.measure import Figures, Server, at_once, clock, policy_in

from holdfast import database, queries, settings
from holdfast.suspension_statistics import months, rules, store
from holdfast.suspension_statistics.terms import terms_of

JOB = Path(__file__).with_name("month_job.py")
MONTHS = 36
FIRST = dt.date(2023, 10, 1)
MONTH = FIRST + relativedelta(months=MONTHS - 1)
"""The month that is measured: the last one. The twelve before are frozen, for the comparison."""
BARE, FREEZE, REPRODUCE = "the bare queries", "freezing the month", "reproducing it"
PARTS = {  # kind of fact: how many there are for each decision
    "decision": 1.0, "chain": 1.0, "notice": 0.97, "request": 0.25, "ending": 0.24, "restoration": 0.5,
    "escalation": 0.02, "check": 0.05,
}  # fmt: skip
_DAYS = """\
-- Which days are complete? Those that were before.
-- params:  since date, until date
-- returns: no row
-- locks:   none
SELECT day, individuals, businesses, missed_looked_at, missed_found FROM statistics.day
WHERE day >= :since AND day < :until AND day IS NULL
"""


@dataclass
class Found:
    """What was measured besides seconds, by the number of facts."""

    steps: dict[int, dict[str, float]] = field(default_factory=dict)
    peak_mb: dict[int, float] = field(default_factory=dict)
    suspensions: dict[int, int] = field(default_factory=dict)
    load: tuple[float, float, float] = (0, 0, 0)

    def note(self, facts: int, told: dict[str, Any]) -> None:
        self.steps[facts] = told["seconds"]
        self.peak_mb[facts] = max(self.peak_mb.get(facts, 0), told["peak_mb"])
        self.suspensions[facts] = told["suspensions"]


def section(server: Server, facts: int, rounds: int, folder: Path, conditions: dict[str, str]) -> str:
    """Measure a month's report over a tenth of the facts and over all of them; say what was found."""
    found, figures = Found(), Figures()
    with policy_in(_project(folder / "suspensions")):
        for number in (facts // 10, facts):
            print(f"Making {number:,} facts of {MONTHS} months", flush=True)
            server.make("suspensions", partial(_fill, facts=number))
            for _ in range(rounds):
                with server.copy("suspensions") as engine:
                    _measure(engine, figures, found, number)
            server.drop("suspensions")
    found.load = os.getloadavg()
    return _text(figures, found, facts, conditions)


def _measure(engine: sa.Engine, figures: Figures, found: Found, facts: int) -> None:
    _bare(engine)  # so that whoever comes first reads no more from disk than the other
    figures.note(f"{facts:,}: {BARE}", clock(lambda: _bare(engine)))
    _, [told] = at_once(engine, JOB, [[f"{MONTH:%Y-%m}"]])
    assert told["is_new"]
    assert told["suspensions"] > 0
    figures.note(f"{facts:,}: {FREEZE}", told["seconds"]["freeze_month"])
    figures.note(f"{facts:,}: {REPRODUCE}", told["seconds"]["reproduce_month"])
    figures.note(f"{facts:,}: {BARE}", clock(lambda: _bare(engine)))
    found.note(facts, told)


def _bare(engine: sa.Engine) -> None:
    """The month's queries one after the other, by the driver alone, and their rows."""
    terms = terms_of(settings.load().policy, MONTH)
    settled = dt.datetime(MONTH.year, MONTH.month, 1, tzinfo=dt.UTC) + relativedelta(months=1, days=10)
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        for name in store.QUERIES:
            statement = queries.query(name)
            values = store.values_of(terms, MONTH, settled)
            compiled = statement.compile(dialect=engine.dialect)
            with driver.cursor() as cursor:
                cursor.execute(str(compiled), {key: values[key] for key in compiled.params})
                if cursor.description:
                    cursor.fetchall()
        driver.rollback()


def _project(folder: Path) -> Path:
    """The shipped project with a provider whose days are those that arrived before."""
    shipped = settings.load()
    (folder / "sql" / "provider" / "suspension").mkdir(parents=True)
    for one in shipped.sql.iterdir():
        if one.name != "provider":
            (folder / "sql" / one.name).symlink_to(one)
    (folder / "sql" / "provider" / "suspension" / "days.sql").write_text(_DAYS)
    (folder / "policy").symlink_to(shipped.policy)
    return folder


def _fill(connection: sa.Connection, *, facts: int) -> None:
    """Facts in the order in which they became known, and twelve frozen months."""
    decisions = int(facts / sum(PARTS.values()))
    days = (MONTH + relativedelta(months=1) - FIRST).days
    database.run_script(connection, _FACTS.format(decisions=decisions, days=days, first=FIRST))
    connection.exec_driver_sql("ANALYZE")
    counted = sum(
        connection.exec_driver_sql(f'SELECT count(*) FROM statistics."{table}"').scalar_one() for table in PARTS
    )
    assert abs(counted - facts) < facts / 50, counted
    for n in range(12, 0, -1):
        months.freeze(connection, settings.load().policy, rules.after(MONTH, -n), made_by="bench")


# A number between 0 and 999 that hangs on the decision and a word alone. Every fact is known the night after its day.
_FACTS = """
CREATE FUNCTION carrier.draw(n bigint, word text) RETURNS integer LANGUAGE sql IMMUTABLE AS
$$ SELECT cast((hashint8extended(n, hashtext(word)) & 1073741823) % 1000 AS integer) $$;

INSERT INTO statistics.day (day, known_at, individuals, businesses, missed_looked_at, missed_found)
SELECT date '{first}' + n, date '{first}' + n + interval '1 day 40 minutes', 900000, 90000, 20, n % 2
FROM generate_series(0, {days} - 1) AS n;

INSERT INTO statistics.decision (number, known_at, day, account_kind, account_age, region, detected_by_machine,
    automation, person_acted, person_changed, restriction, reason, signal_family, product, detection_source,
    lawful_basis, rule_version, has_reasons, uses_special_category, bars_emergency_calls, not_told_because,
    planned_hours)
SELECT i, day + interval '1 day 40 minutes', day, (ARRAY['individual', 'business'])[1 + carrier.draw(i, 'a') / 900],
    (ARRAY['under_30_days', 'under_a_year', 'older'])[1 + carrier.draw(i, 'b') % 3],
    'region_' || carrier.draw(i, 'c') % 12, carrier.draw(i, 'd') < 900,
    (ARRAY['fully', 'fully', 'fully', 'partially', 'not'])[1 + carrier.draw(i, 'e') % 5], carrier.draw(i, 'f') < 30,
    carrier.draw(i, 'g') < 100, (ARRAY['partial', 'total'])[1 + carrier.draw(i, 'h') % 2],
    (ARRAY['fraud', 'sms_pumping', 'cli_spoofing', 'non_payment', 'identity'])[1 + carrier.draw(i, 'i') % 5],
    (ARRAY['traffic', 'content', 'identity', 'payment'])[1 + carrier.draw(i, 'j') % 4],
    (ARRAY['voice', 'messaging', 'api'])[1 + carrier.draw(i, 'k') % 3],
    (ARRAY['detector', 'carrier', 'complaint', 'staff'])[1 + carrier.draw(i, 'l') % 4],
    (ARRAY['contract', 'legitimate_interests'])[1 + carrier.draw(i, 'm') % 2], 'rules-' || carrier.draw(i, 'n') % 7,
    carrier.draw(i, 'o') < 990, carrier.draw(i, 'p') < 5, FALSE,
    CASE WHEN carrier.draw(i, 'q') < 10 THEN 'tipping_off' END,
    CASE WHEN carrier.draw(i, 'r') < 700 THEN carrier.draw(i, 's') END
FROM generate_series(1, {decisions}) AS i
CROSS JOIN LATERAL (SELECT date '{first}' + cast(i * {days} / ({decisions} + 1) AS integer) AS day) AS made;

INSERT INTO statistics.chain (number, known_at, is_first_in_month, days_since_previous, days_since_overturned)
SELECT number, known_at, carrier.draw(number, 't') < 900,
    CASE WHEN carrier.draw(number, 'u') < 200 THEN carrier.draw(number, 'u') END,
    CASE WHEN carrier.draw(number, 'v') < 20 THEN carrier.draw(number, 'v') END
FROM statistics.decision;

INSERT INTO statistics.notice (number, known_at, case_number, day, minutes, offers_review)
SELECT {decisions} + number, known_at, number, day, carrier.draw(number, 'w'), carrier.draw(number, 'x') < 980
FROM statistics.decision WHERE carrier.draw(number, 'y') < 970;

INSERT INTO statistics.request (number, known_at, case_number, day, minutes, kind, assigned_minutes)
SELECT 2 * {decisions} + number, known_at + later, number, day + later_days, later_days * 1440 + 600,
    (ARRAY['human_review', 'human_review', 'contest', 'representation'])[1 + carrier.draw(number, 'A') % 4],
    carrier.draw(number, 'B')
FROM statistics.decision
CROSS JOIN LATERAL (SELECT carrier.draw(number, 'C') % 20 AS later_days) AS drawn
CROSS JOIN LATERAL (SELECT later_days * interval '1 day' AS later) AS made
WHERE carrier.draw(number, 'D') < 250;

INSERT INTO statistics.ending (number, known_at, case_number, request_number, day, minutes, outcome, reviewer_number,
    reviewer_is_decider, seconds_spent, evidence_viewed)
SELECT 3 * {decisions} + case_number, known_at + later_days * interval '1 day', case_number, number, day + later_days,
    later_days * 1440 + 60, (ARRAY['upheld', 'upheld', 'upheld', 'overturned', 'varied', 'withdrawn', 'omitted'])[
        1 + carrier.draw(case_number, 'E') % 7
    ], 9000000000 + carrier.draw(case_number, 'F') % 40, FALSE, 10 + carrier.draw(case_number, 'G'),
    carrier.draw(case_number, 'H') < 950
FROM statistics.request
CROSS JOIN LATERAL (SELECT carrier.draw(case_number, 'I') % 9 AS later_days) AS drawn
WHERE carrier.draw(case_number, 'J') < 960;

INSERT INTO statistics.restoration (number, known_at, case_number, day, minutes, cause)
SELECT 4 * {decisions} + number, known_at + later_days * interval '1 day', number, day + later_days,
    later_days * 1440 + 30, (ARRAY['ended', 'ended', 'review', 'own_correction'])[1 + carrier.draw(number, 'K') % 4]
FROM statistics.decision CROSS JOIN LATERAL (SELECT carrier.draw(number, 'L') % 12 AS later_days) AS drawn
WHERE carrier.draw(number, 'M') < 500;

INSERT INTO statistics.escalation (number, known_at, case_number, day, minutes, kind)
SELECT 5 * {decisions} + number, known_at, number, day, 900,
    (ARRAY['complaint', 'adr', 'ico', 'court'])[1 + carrier.draw(number, 'N') % 4]
FROM statistics.decision WHERE carrier.draw(number, 'O') < 20;

INSERT INTO statistics.check (number, known_at, case_number, day, minutes, was_right)
SELECT 6 * {decisions} + number, known_at, number, day, 1000, carrier.draw(number, 'P') < 930
FROM statistics.decision WHERE carrier.draw(number, 'Q') < 50;
"""


def _text(figures: Figures, found: Found, facts: int, conditions: dict[str, str]) -> str:
    few, goal = facts // 10, "1.3"
    lines = [
        page.conditions(conditions, found.load),
        f"{facts:,} facts of {MONTHS} months, and a tenth of them: suspensions, how each stands to others on its"
        " account, notices,\nreviews and their outcomes, restorations, complaints, samples. The report is of the last"
        f" month, {found.suspensions[facts]:,} suspensions;\ntwelve months before it are frozen. The other side runs"
        " the same queries of the month's figures by the driver alone and\nfetches their rows. Both read from memory."
        " Freezing adds the order, completeness and controls of the figures, the median\nof times that still run, the"
        " digest, the version and its entry in the ledger; imports are in neither.",
        "",
        "| what | seconds | against | seconds | ratio | goal |",
        "| --- | --- | --- | --- | --- | --- |",
        *(
            f"| {number:,}: {what} | {figures.best(f'{number:,}: {what}'):.2f} | {BARE} |"
            f" {figures.best(f'{number:,}: {BARE}'):.2f} |"
            f" {figures.ratio(f'{number:,}: {what}', f'{number:,}: {BARE}'):.2f} | {goal} |"
            for number in (few, facts)
            for what in (FREEZE, REPRODUCE)
        ),
        "",
        "| what | measured | goal |",
        "| --- | --- | --- |",
        *(
            f"| Python's memory at its highest, {number:,} facts | {found.peak_mb[number]:.0f} MB | flat |"
            for number in (few, facts)
        ),
        "",
        "The steps in seconds (last round). `write_report` is the two editions, with the look for late facts, and"
        " drawing: HTML,\nPDF, XLSX, charts. The published edition is attacked before it is first printed.",
        "",
        *(
            f"- {number:,} facts: {', '.join(f'{name} {took:.2f}' for name, took in found.steps[number].items())}"
            for number in (few, facts)
        ),
        "",
        "All times in seconds, in the order measured:",
        "",
        *(f"- {what}: {', '.join(f'{one:.3g}' for one in seconds)}" for what, seconds in figures.seconds.items()),
    ]
    return "\n".join(lines) + "\n"
