"""The report of a day: every file of it, from figures that are given, and from a job that ran.

A golden file that is missing is written, and the test fails once: read it before it is kept.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pypdf
import pytest
from tests.holdfast.emergency_data.conftest import FOLDER, SUITE, Job

from holdfast.emergency_data import catalogue, report, steps
from holdfast.emergency_data.report import scorecard
from holdfast.emergency_data.report.figures import Edition
from holdfast.evidence import reported
from holdfast.evidence.reported import Checked
from holdfast.reports import charts
from holdfast.synthetic import emergency as synthetic

GOLDEN = Path(__file__).with_name("report_golden")
TABLES = (
    *("scorecard", "calls", "extracts", "rules", "refusals", "changes", "quarantine", "gaps", "rejects", "audit"),
    *("days", "exceptions"),
)
TEXTS = ("index.html", "report.json", *(f"{name}.csv" for name in TABLES))
DAY = dt.date(2026, 11, 24)
NOW = dt.datetime(2026, 11, 24, 5, 2, tzinfo=dt.UTC)


def ago(days: float) -> dt.datetime:
    return NOW - dt.timedelta(days=days)


def extract(number: int, state: str, records: int | None, released: int | None, **changes: Any) -> dict[str, Any]:
    made = {
        "extract_id": number,
        "file_name": f"NG999_HFT_20261124_{number:06d}.csv",
        "provider": "HFT",
        "sequence": number,
        "extract_type": "DELTA",
        "state": state,
        "records": records,
        "released": released,
        "quarantined": None if released is None or records is None else records - released,
        "warned": None if released is None else 2,
        "delivered": state == "delivered",
    }
    return made | changes


def day_of(ago_days: int, covered: int | None, released: int | None) -> dict[str, Any]:
    known = covered is not None
    return {
        "day": DAY - dt.timedelta(days=ago_days),
        "needing": 1000 if known else None,
        "covered": covered,
        "verified": 950 if known else None,
        "told": 998 if known else None,
        "stale": 3 if known else None,
        "rejected": 4 if known else None,
        "calls": 1 if known else None,
        "records": None if released is None else 40,
        "released": released,
        "quarantined": None if released is None else 40 - released,
    }


def gap(rule_id: str, *ages: int, days: float) -> dict[str, Any]:
    names = ("up_to_a_day", "up_to_a_week", "up_to_a_month", "older")
    return {"rule_id": rule_id, "gaps": sum(ages), **dict(zip(names, ages, strict=True)), "oldest": ago(days)}


BUSY = Edition(
    day=DAY,
    written_at=NOW,
    extracts=[
        extract(7, "delivered", 40, 37),
        extract(8, "waiting", 900, 900),
        extract(9, "refused", None, None, provider=None, sequence=None, extract_type=None),
    ],
    documented=frozenset({7}),
    rules=[
        {"rule_id": "E201", "severity": "critical", "broken": 2, "excepted": 0},
        {"rule_id": "E202", "severity": "critical", "broken": 0, "excepted": 0},
        {"rule_id": "E306", "severity": "critical", "broken": 1, "excepted": 1},
        {"rule_id": "W503", "severity": "warning", "broken": 2, "excepted": 0},
    ],
    refusals=[{"extract_id": 9, "rule_id": "F006", "reason": "other_count", "line": 44, "column_name": None}],
    changes=[{"extract_id": 8, "figure": "ceased_share", "value": 0.31, "bound": 0.05, "exceeded": True}],
    quarantined={
        "records": 3,
        "up_to_a_day": 2,
        "up_to_a_week": 0,
        "up_to_a_month": 1,
        "older": 0,
        "oldest": ago(12),
    },
    quarantine=[
        {"extract_id": 4, "record_no": 18, "rule_ids": ["E201", "E313"], "quarantined_at": ago(12)},
        {"extract_id": 7, "record_no": 2, "rule_ids": ["E201"], "quarantined_at": ago(0)},
        {"extract_id": 7, "record_no": 5, "rule_ids": ["E306"], "quarantined_at": ago(0)},
    ],
    calls=[{"waits_for": "an answer of the authority", "calls": 1, "too_long": 1, "oldest": ago(6)}],
    gaps=[gap("E501", 1, 0, 2, 0, days=20), gap("E505", 1, 0, 0, 0, days=0.2), gap("W503", 0, 5, 30, 15, days=60)],
    rejects=[
        {"code": "BADPC", "rejects": 3, "up_to_a_day": 1, "in_time": 1, "too_long": 1, "oldest": ago(9), "again": 1},
        {"code": "FILE", "rejects": 1, "up_to_a_day": 1, "in_time": 0, "too_long": 0, "oldest": ago(0.5), "again": 0},
    ],
    answers={"accepted_first": 196, "rejected_first": 4, "mean_hours": 21.25, "late_hours": 30},
    days=[day_of(89, 930, 40), day_of(30, None, 38), day_of(1, 990, None), day_of(0, 997, 37)],
    audit=[{"due_month": dt.date(2026, 12, 1), "numbers": 120}, {"due_month": dt.date(2027, 1, 1), "numbers": 80}],
    exceptions=[
        {
            "exception_id": 1,
            "rule_id": "E306",
            "reason": "a-real-name",
            "owner": "addressing",
            "accepted_on": dt.date(2026, 11, 1),
            "last_day": dt.date(2027, 3, 31),
        }
    ],
    switched_off={"W107": "The synthetic provider's numbers are all from the ranges for drama."},
    catalogue=SUITE.rules | catalogue.load_file_rules(FOLDER / "files.yaml"),
)
CLEAR = dataclasses.replace(
    BUSY,
    extracts=[extract(7, "delivered", 40, 40)],
    quarantined={"records": 0, "up_to_a_day": 0, "up_to_a_week": 0, "up_to_a_month": 0, "older": 0, "oldest": None},
    **{name: [] for name in ("refusals", "changes", "quarantine", "calls", "gaps", "rejects")},
)
NOTHING = dataclasses.replace(
    CLEAR,
    answers=dict.fromkeys(("accepted_first", "rejected_first", "mean_hours", "late_hours")),
    **{name: [] for name in ("extracts", "rules", "days", "audit", "exceptions")},
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str | bytes]:
    charts.keep_cache_in(tmp_path_factory.mktemp("matplotlib"))
    return report.files_of(BUSY)


@pytest.mark.parametrize("name", TEXTS)
def test_every_file_is_the_golden_one(made: dict[str, str | bytes], name: str) -> None:
    """Charts have tests of their own, and looks are for people to judge: only the places of both are marked here."""
    content = made[name]
    assert isinstance(content, str)
    text = re.sub(r"<(svg|style).*?</\1>", r"<\1></\1>", content, flags=re.DOTALL)
    golden = GOLDEN / name
    if not golden.exists():
        GOLDEN.mkdir(exist_ok=True)
        golden.write_bytes(text.encode())
        pytest.fail(f"read {golden}, which is new")
    assert text == golden.read_bytes().decode()


def test_there_are_a_page_a_pdf_a_workbook_and_data(made: dict[str, str | bytes]) -> None:
    assert set(made) == {*TEXTS, "report.pdf", "report.xlsx"}
    pages = pypdf.PdfReader(io.BytesIO(bytes(made["report.pdf"])))  # type: ignore[arg-type]
    assert "999 calls without data" in "".join(page.extract_text() for page in pages.pages)
    with zipfile.ZipFile(io.BytesIO(bytes(made["report.xlsx"]))) as book:  # type: ignore[arg-type]
        sheets = [name for name in book.namelist() if name.startswith("xl/worksheets/sheet")]
    assert len(sheets) == len(TABLES)


def test_the_page_has_a_chart_of_each_kind(made: dict[str, str | bytes]) -> None:
    page = str(made["index.html"])
    assert all(f'id="{name}-title"' in page for name in ("trend", "records", "gaps", "rejects", "audit"))
    assert "live numbers with a record: 93.0% on 27 Aug 2026, 99.7% on 24 Nov 2026." in page


def test_calls_without_data_come_before_everything_else() -> None:
    points = scorecard.verdict(BUSY).points
    assert points[0] == "1 call to 999 was made from a number without data, and the data is not there yet."
    assert "1 × E505: 999 was called from a number without data" in "".join(points)
    assert scorecard.scorecard(BUSY)[0].name == "calls_without_data"


def test_the_scorecard_is_that_of_the_rule_catalogue() -> None:
    cards = {card.name: card.value for card in scorecard.scorecard(BUSY)}
    assert cards == {
        "calls_without_data": 1,
        "coverage": 0.997,
        "stale": 3 / 998,
        "verified": 0.95,
        "passed": 37 / 40,
        "accepted_first": 0.98,
        "mean_hours": 21.25,
        "late_hours": 30,
        "rejects": 4,
        "quarantine": 3,
        "late_answers": 0,
        "exceptions": 1,
    }


def test_a_day_with_nothing_to_say_is_clear_and_says_which_day() -> None:
    verdict = scorecard.verdict(CLEAR)
    assert verdict.is_clear
    assert verdict.sentence == (
        "All clear on 24 November 2026: 1 extract came, 40 of 40 records left, and nothing needs anybody."
    )
    assert "All clear" in str(report.files_of(CLEAR)["index.html"])


def test_records_of_a_file_that_waits_have_not_left() -> None:
    assert scorecard.verdict(BUSY).sentence == (
        "On 24 November 2026 3 extracts came, 37 of 940 records left, and 7 matters need somebody."
    )


def test_what_was_not_measured_is_not_zero_and_never_clear() -> None:
    cards = {card.name: card.value for card in scorecard.scorecard(NOTHING)}
    unknown = {name for name, value in cards.items() if value is None}
    assert unknown == {"coverage", "stale", "verified", "passed", "accepted_first", "mean_hours", "late_hours"}
    assert scorecard.verdict(NOTHING).points == (
        "No extract came on this day.",
        "Records and inventory were not compared.",
    )
    assert "not measured" in str(report.files_of(NOTHING)["index.html"])


def test_the_report_tells_of_a_day_that_was_worked_and_names_nobody(job: Job) -> None:
    job.send(1, [job.good(n, postcode="" if n == 3 else "ZY1 1AA", premises=str(n + 1)) for n in range(30)], "FULL")
    (job.root / "inbox" / "NOTES.txt").write_text("what is this")
    job.run()
    job.answered(
        "a.csv",
        f"RSP,1,HFT,1,{job.now:%Y-%m-%dT%H:%M:%SZ},PARTIAL",
        f"ANS,1,{synthetic.number(0)},REJECTED,BADPC",
        "END,1",
    )
    steps.reconcile(job.engine, job.settings)
    written = steps.write_report(job.engine, job.settings)
    assert (written["records"], written["released"], written["quarantined"]) == (30, 29, 1)
    assert reported.check(job.engine, job.settings.reports) == Checked(1, (), (), ())
    folder = Path(written["folder"])
    contents = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert set(contents) == {"SHA256SUMS", "report.pdf", "report.xlsx", *TEXTS}
    words = ("EXAMPLESON", "TESTINA", "IMAGINARY", synthetic.number(3)[3:], synthetic.number(0)[3:])
    with zipfile.ZipFile(io.BytesIO(contents["report.xlsx"])) as book:
        contents |= {name: book.read(name) for name in book.namelist()}
    pages = pypdf.PdfReader(io.BytesIO(contents["report.pdf"])).pages
    contents["pdf text"] = "".join(page.extract_text() for page in pages).encode()
    assert not [(name, word) for name, text in contents.items() for word in words if word.encode() in text]
    told = json.loads(contents["report.json"])
    assert told["verdict"]["points"][0] == "1 file was refused."
    assert {row["rule_id"] for row in told["rules"] if row["broken"]} >= {"E201", "E313"}
    assert told["scorecard"]["accepted_first"] == 28 / 29
    assert told["days"][0]["needing"] == 400
    assert b"The postcode is missing." in contents["index.html"]
