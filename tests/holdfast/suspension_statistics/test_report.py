"""Both editions of a month are whole, follow their schema, and say the same whenever they are written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import jsonschema
import pytest
from tests.holdfast.suspension_statistics.conftest import MAY, Fresh
from tests.holdfast.suspension_statistics.feed import Feed

from holdfast import database, settings
from holdfast.evidence import reported
from holdfast.evidence.reported import Checked
from holdfast.suspension_statistics import definitions, months, steps

KINDS = ("internal", "published")
Files = dict[str, bytes]


@dataclass(frozen=True)
class Written:
    """The files of each edition, as they were written and as they were written again."""

    first: dict[str, Files]
    again: dict[str, Files]


@pytest.fixture(scope="module")
def written(one_may: Feed, fresh_database: Fresh, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Written]:
    with pytest.MonkeyPatch.context() as environment, fresh_database(source=one_may.engine) as engine:
        environment.setenv(settings.HOME, str(tmp_path_factory.mktemp("home")))
        loaded = settings.load()
        with database.transaction(engine) as connection:
            months.freeze(connection, loaded.policy, MAY, made_by="tests")
        made = []
        for _ in range(2):
            steps.write_report(engine, loaded, month="2026-05")
            folder = loaded.reports / "suspension_statistics" / "2026-05"
            made.append({kind: {path.name: path.read_bytes() for path in (folder / kind).iterdir()} for kind in KINDS})
        assert reported.check(engine, loaded.reports) == Checked(2, (), (), ()), "both editions are in the ledger"
        yield Written(*made)


@pytest.mark.parametrize("kind", KINDS)
def test_an_edition_is_whole_and_follows_the_schema(written: Written, kind: str) -> None:
    files = written.first[kind]
    assert set(files) == {
        "index.html", "report.pdf", "statistics.xlsx", "statistics.csv", "statistics.json", "statistics.schema.json",
        "versions.csv", "differences.csv", "months.csv", "dsa.csv", "methodology.md", "SHA256SUMS",
    }  # fmt: skip
    content = json.loads(files["statistics.json"])
    jsonschema.validate(content, json.loads(files["statistics.schema.json"]))
    assert content["edition"] == kind
    assert files["report.pdf"].startswith(b"%PDF")
    assert (b"INTERNAL EDITION" in files["index.html"]) == (kind == "internal")


def test_the_published_edition_prints_no_small_number_and_names_its_rule(written: Written) -> None:
    content = json.loads(written.first["published"]["statistics.json"])
    assert {one["disclosure_rule"] for one in content["figures"]} == {"round5-supp7"}
    counts = [one[name] for one in content["figures"] if one["unit"] in ("count", "share") for name in ("n", "of_n")]
    assert not [n for n in counts if isinstance(n, int) and n % 5]
    [api] = [one for one in content["figures"] if (one["metric"], one["category"]) == ("M04", "api")]
    assert api["n"] == "*"


def test_what_the_internal_edition_says_in_short(written: Written) -> None:
    page = written.first["internal"]["index.html"].decode()
    assert "40 suspensions on 40 accounts, 30 of them decided by a machine alone. 30 reviews were asked for" in page
    assert "10 of these overturned or varied the decision (33.3%, 95 % interval 19.2% to 51.2%)." in page


def test_a_rate_per_10000_accounts_is_that_of_the_mean_day(written: Written) -> None:
    content = json.loads(written.first["internal"]["statistics.json"])
    [rate] = [one for one in content["figures"] if one["metric"] == "M09"]
    assert (rate["n"], rate["of_n"]) == (40, 31 * 120)
    assert rate["per_10000"] == pytest.approx(10_000 * 40 / 120, abs=1e-6)


@pytest.mark.parametrize("name", ["statistics.json", "statistics.csv", "dsa.csv", "methodology.md"])
def test_a_report_says_the_same_whenever_it_is_written(written: Written, name: str) -> None:
    for kind in KINDS:
        assert written.first[kind][name] == written.again[kind][name]


def test_the_page_prints_each_definition_and_the_document_is_made_from_the_same_source(written: Written) -> None:
    defined, _ = definitions.load(settings.load().policy)
    page = written.first["internal"]["index.html"].decode()
    assert not [metric_id for metric_id in defined.metrics if f"<h3>{metric_id} " not in page]
    document = settings.load().project / "docs" / "definitions.md"
    assert document.read_text(encoding="utf-8") == definitions.as_markdown(defined), (
        "run holdfast statistics definitions"
    )


def test_all_metrics_of_the_fact_sheet_are_defined() -> None:
    defined, _ = definitions.load(Path(settings.load().policy))
    assert set(defined.metrics) == {f"M{n:02}" for n in range(1, 43)} | {"U01"}
