"""Of some holds not even the existence may be told: whichever of an authority keeps rows, the report is the same."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from tests.holdfast.deletion_requests import report_library as library
from tests.holdfast.deletion_requests.report_library import Asked, Cell
from tests.holdfast.retention.report import cinema

from holdfast import settings as hf_settings
from holdfast.deletion_requests import breaks, report
from holdfast.deletion_requests.break_kinds import Kind
from holdfast.deletion_requests.breaks import Break
from holdfast.deletion_requests.report import exports, page
from holdfast.policy.model import Policy
from holdfast.settings import Settings

LEGAL = ("LITIGATION", "WARRANT", "COVERT_INQUIRY")
NAMED = ("UNPAID", "TAX")
ENDS = st.one_of(st.none(), st.dates(dt.date(2027, 1, 1), dt.date(2029, 1, 1)))


@pytest.fixture(scope="module")
def archive(
    fresh_database: Callable[..., AbstractContextManager[sa.Engine]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[sa.Engine, Settings, Policy]]:
    folder = tmp_path_factory.mktemp("archive")
    policy = library.write_policy(folder)
    with fresh_database() as engine, pytest.MonkeyPatch.context() as environment:
        environment.setenv(hf_settings.PSEUDONYM_KEY, library.KEY)
        yield engine, library.settings_in(folder), policy


def files(archive: tuple[sa.Engine, Settings, Policy], requests: dict[int, Asked]) -> dict[str, str | bytes]:
    """Every file of the report of a night with these requests, without charts, which show nothing of types."""
    engine, settings, policy = archive
    with engine.connect() as connection:
        try:
            for table, column in (("deletion_request", "request_id"), ("run", "run_id")):
                connection.execute(sa.text(f"ALTER TABLE holdfast.{table} ALTER COLUMN {column} RESTART"))
            run_id = library.fill(connection, policy, requests)
            edition = report.edition_of(connection, settings, run_id, now=library.WRITTEN)
        finally:
            connection.rollback()
    return {
        "index.html": page.html_of(edition, with_charts=False),
        "report.json": exports.json_text(edition),
        "report.xlsx": exports.workbook(edition),
        **exports.csv_files(edition),
    }


def kept(hold_type: str, until: dt.date | None, review_on: dt.date | None, named: list[str], rows: int) -> Cell:
    """What the engine writes where a hold of this type keeps rows, and perhaps others that may be named."""
    is_told = hold_type not in LEGAL[1:]
    told = sorted([hold_type, *named]) if is_told else sorted(named)
    return Cell("held", hold_type, held=rows, until=until, review_on=review_on, disclosable=is_told, told=told)


@hypothesis_settings(deadline=None, max_examples=25)
@given(
    types=st.tuples(st.sampled_from(LEGAL), st.sampled_from(LEGAL)),
    ends=st.tuples(ENDS, ENDS),
    reviews=st.tuples(ENDS, ENDS),
    named=st.lists(st.sampled_from(NAMED), unique=True),
    rows=st.integers(1, 9),
    dataset=st.sampled_from(("tickets", "cards", "reviews")),
)
def test_a_report_is_the_same_to_the_letter_whichever_of_them_keeps_the_rows(
    archive: tuple[sa.Engine, Settings, Policy],
    types: tuple[str, str],
    ends: tuple[dt.date | None, dt.date | None],
    reviews: tuple[dt.date | None, dt.date | None],
    named: list[str],
    rows: int,
    dataset: str,
) -> None:
    written = []
    for hold_type, end, review_on in zip(types, ends, reviews, strict=True):
        cell = kept(hold_type, end, review_on, named, rows)
        changed = replace(library.REQUESTS[2], cells={**library.REQUESTS[2].cells, dataset: cell})
        written.append(files(archive, {**library.REQUESTS, 2: changed}))
    assert written[0] == written[1]
    for text in written[0].values():
        shown = text.lower() if isinstance(text, str) else ""
        assert [word for word in (*cinema.SECRETS, "litigation") if word in shown] == []


def test_a_hold_of_a_type_that_may_be_named_can_be_kept_to_itself(
    archive: tuple[sa.Engine, Settings, Policy],
) -> None:
    """A source may keep to itself what the policy would tell."""
    hidden = Cell("held", "TAX", held=3, until=library.TAX_END, disclosable=False, told=[])
    litigation = kept("LITIGATION", None, None, [], 3)
    asked = library.REQUESTS[2]
    changed = [replace(asked, cells={"reviews": cell}) for cell in (hidden, litigation)]
    written = [files(archive, {**library.REQUESTS, 2: one}) for one in changed]
    assert written[0] == written[1]
    assert '"reviews","TAX"' not in str(written[0]["kept.csv"])


def test_a_break_of_theirs_is_told_without_its_number(archive: tuple[sa.Engine, Settings, Policy]) -> None:
    one = Break(Kind.ERASED_WHILE_HELD, 4711, breaks.OTHERS, (4,), (77,))
    engine, settings, policy = archive
    with engine.connect() as connection:
        run_id = cinema.open_run(connection, policy, job=library.JOB)
        library.ledger(connection, run_id, [one])
        edition = report.edition_of(connection, settings, run_id, now=library.WRITTEN)
        connection.rollback()
    assert edition.verdict.standing == "incident", "it is loud all the same"
    for text in (
        page.html_of(edition, with_charts=False),
        exports.json_text(edition),
        *exports.csv_files(edition).values(),
    ):
        assert "4711" not in text
        assert "77," not in text.replace(f"{edition.run.run_id}", "")
    [line] = edition.breaks or ()
    assert (line.about, line.count, line.requests, line.holds) == ("other obligations", None, (), ())
