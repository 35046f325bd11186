"""Great Expectations looks at every extract before it leaves, agrees with the pass, and writes no value anywhere."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest
from tests.holdfast.emergency_data.conftest import Job

from holdfast.emergency_data import one_extract, report, steps, suite_run, validation
from holdfast.errors import RuleSetError


@pytest.fixture
def judged(job: Job) -> int:
    """An extract with records that break rules; one of them has an exception."""
    records = [job.good(n) for n in range(40)]
    records[3] |= {"postcode": "", "name": "UNKNOWN"}
    records[7] |= {"premises": "SECRETPLACE PO BOX 9", "thoroughfare": "Hidden Lane"}
    records[9]["name"] = "TEST"
    job.query(
        "INSERT INTO emergency.exception (rule_id, provider, number, reason, owner, accepted_on, last_day)"
        " VALUES ('E306', 'HFT', :n, 'a-real-name', 'addressing', :day, :day) RETURNING 1",
        n=records[9]["number_e164"],
        day=job.day,
    )
    job.send(1, records, "FULL")
    extract_id = job.load()
    one_extract.judge_extract(job.engine, job.settings, extract_id=extract_id)
    return extract_id


def site(job: Job, extract_id: int) -> Path:
    return report.data_docs_of(job.settings, job.day) / str(extract_id)


def test_its_documents_hold_counts_and_no_value(job: Job, judged: int) -> None:
    done = one_extract.validate_extract(job.engine, job.settings, extract_id=judged)
    assert done["expectations"] > 100
    files = [path for path in site(job, judged).rglob("*") if path.is_file()]
    pages = "".join(path.read_text() for path in files)
    assert "E201" in pages
    assert "The postcode is missing." in pages
    number = job.good(3)["number_e164"][3:]
    hidden = ("SECRETPLACE", "Hidden Lane", "EXAMPLESON", "TESTINA", "acc-3", "postgresql", number)
    assert not [word for word in hidden if word in pages]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    (facts,) = job.ledger("extract_validated")
    assert (facts["extract"], facts["expectations"]) == (judged, done["expectations"])
    assert re.fullmatch("sha256:[0-9a-f]{64}", facts["rule_set"])
    page = Path(steps.write_report(job.engine, job.settings)["report"])
    assert f'href="data_docs/{judged}/index.html"' in page.read_text()
    assert (page.parent / "data_docs" / str(judged) / "index.html").exists()
    _loads_nothing(page.parent)

    assert one_extract.validate_extract(job.engine, job.settings, extract_id=judged)["expectations"] == 0
    assert one_extract.release_extract(job.engine, job.settings, extract_id=judged)["released"] == 38


def _loads_nothing(folder: Path) -> None:
    """No page below it runs a script or names another host, so that all of them read the same without a network."""
    pages = list(folder.rglob("*.html"))
    assert len(pages) == 2, "the report and what Great Expectations found"
    for page in pages:
        text = page.read_text().replace('xmlns="http://www.w3.org/2000/svg"', "")
        assert not re.findall(r"<script|@import|(?:https?:)?//[a-z0-9-]+\.[a-z]", text, re.IGNORECASE)
        inside = re.findall(r"""(?:src|href|action|data)=["']([^"']*)["']|url\(([^)]*)\)""", text)
        assert all((page.parent / link).exists() for link, _ in inside if not link.startswith("#") and link)
        assert not [url for _, url in inside if url and not url.startswith("#")]


@pytest.mark.parametrize("rule_id", ["E201", "E306"])
def test_nothing_leaves_while_the_two_disagree(job: Job, judged: int, rule_id: str) -> None:
    """E201 is one expectation and E306 several."""
    counts = "UPDATE emergency.rule_count SET records = records + 30 WHERE rule_id = :rule_id RETURNING 1"
    job.query(counts, rule_id=rule_id)
    with pytest.raises(RuleSetError, match=f"disagree on {rule_id}"):
        one_extract.validate_extract(job.engine, job.settings, extract_id=judged)
    assert not site(job, judged).exists()
    assert job.ledger("extract_validated") == []


def test_documents_of_single_records_are_refused(job: Job, judged: int, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="counts only"):
        suite_run.run(job.engine, None, None, {}, with_records=True, document=tmp_path)  # type: ignore[arg-type]
    assert validation.documented(tmp_path) == frozenset()


def test_it_belongs_to_every_run(job: Job) -> None:
    job.choose("second_opinion: false", "second_opinion: true")
    job.send(1, [job.good(n) for n in range(3)], "FULL")
    (result,) = job.run()
    assert result["released"] == 3
    assert len(job.ledger("extract_validated")) == 1
