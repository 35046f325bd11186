"""The report as data. Keys and columns are a promise to whoever reads them: they are only ever added to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from holdfast.reports import data, xlsx
from holdfast.reports.tables import Cell as TableCell
from holdfast.reports.tables import csv_text
from holdfast.suspension_statistics import definitions
from holdfast.suspension_statistics.disclosure import Cell
from holdfast.suspension_statistics.report.edition import Edition

FORMAT = "holdfast-suspension-statistics/1"
SCHEMA = Path(__file__).with_name("statistics.schema.json")
_COLUMNS = (
    "month", "version", "metric", "name", "basis", "dimension", "category", "unit", "n", "of_n", "share", "low", "high",
    "disclosure_rule", "per_10000",
)  # fmt: skip
_DSA = (
    ("1.5", "suspensions of recipients: number", ("M01", "decision", "all", "all"), "n"),
    ("1.5", "suspensions by fully automated means", ("M02", "decision", "automation", "fully"), "n"),
    ("1.5", "suspensions by partially automated means", ("M02", "decision", "automation", "partially"), "n"),
    ("1.5", "suspensions not by automated means", ("M02", "decision", "automation", "not"), "n"),
    ("1.5", "internal complaints received", ("M19", "event", "flow", "asked_for"), "n"),
    ("1.5", "internal complaints decided", ("M18", "event", "all", "all"), "n"),
    ("1.5", "decisions upheld", ("M22", "event", "outcome", "upheld"), "n"),
    ("1.5", "decisions reversed", ("M22", "event", "outcome", "overturned"), "n"),
    ("1.5", "decisions partially reversed", ("M22", "event", "outcome", "varied"), "n"),
    ("1.5", "complaints omitted", ("M22", "event", "outcome", "omitted"), "n"),
    ("1.5", "median time to decide a complaint, in minutes", ("M20", "event", "minutes_to_decision", "median"), "n"),
    ("1.5", "disputes before dispute settlement bodies", ("M38", "event", "kind", "adr"), "n"),
    ("1.6", "indicator of accuracy: precision in a sample", ("M27", "event", "all", "all"), "share"),
    ("1.6", "possible rate of error: in a sample", ("M28", "event", "all", "all"), "share"),
)
"""Sections of Annex I Part II of Implementing Regulation (EU) 2024/2835, of which only the headings were read at
source.
"""


def statistics_csv(edition: Edition) -> str:
    """Every figure, one line each."""
    return csv_text(_COLUMNS, _rows(edition))


def workbook(edition: Edition) -> bytes:
    """Every figure, the versions, what changed, and what the metrics mean."""
    meanings = [
        (metric_id, one.name, one.population, one.event, one.clock, one.inclusion, one.later, one.unit, one.denominator)
        for metric_id, one in edition.definitions.metrics.items()
    ]
    sheets = [
        xlsx.Sheet("figures", _COLUMNS, _rows(edition)),
        xlsx.Sheet("versions", _VERSION_COLUMNS, _version_rows(edition)),
        xlsx.Sheet("differences", _DIFFERENCE_COLUMNS, _difference_rows(edition)),
        xlsx.Sheet("months", _TREND_COLUMNS, _trend_rows(edition)),
        xlsx.Sheet(
            "definitions",
            ("metric", "name", "population", "event", "clock", "inclusion", "changes later by", "unit", "part of"),
            meanings,
        ),
    ]
    title = f"Suspension statistics {edition.version.month:%Y-%m}, {edition.kind} edition"
    return xlsx.workbook(sheets, title=title, on=edition.version.month)


def json_text(edition: Edition) -> str:
    """Everything that the page says, by the schema beside it."""
    version = edition.version
    return data.json_text(
        {
            "format": FORMAT,
            "edition": edition.kind,
            "month": f"{version.month:%Y-%m}",
            "version": version.version,
            "reason": version.reason,
            "digest": version.digest,
            "definitions": version.definitions,
            "known_until": version.known_until,
            "disclosure_rule": edition.rule_id,
            "figures": [dict(zip(_COLUMNS[2:], row[2:], strict=True)) for row in _rows(edition)],
            "versions": [dict(zip(_VERSION_COLUMNS, row, strict=True)) for row in _version_rows(edition)],
            "differences": [dict(zip(_DIFFERENCE_COLUMNS, row, strict=True)) for row in _difference_rows(edition)],
            "months": [dict(zip(_TREND_COLUMNS, row, strict=True)) for row in _trend_rows(edition)],
        }
    )


def schema_text() -> str:
    """The schema of the JSON file."""
    return SCHEMA.read_text(encoding="utf-8")


_VERSION_COLUMNS = ("version", "known_until", "made_at", "reason", "digest")
_DIFFERENCE_COLUMNS = ("metric", "basis", "dimension", "category", "n_before", "of_n_before", "n_after", "of_n_after")


_TREND_COLUMNS = (
    "metric", "basis", "dimension", "category", "name", "month", "n", "limit_low", "limit_high", "is_outside",
)  # fmt: skip


def months_csv(edition: Edition) -> str:
    """The figures that are followed, month by month, with the control limits of the months before this one."""
    return csv_text(_TREND_COLUMNS, _trend_rows(edition))


def versions_csv(edition: Edition) -> str:
    """Every version of the month."""
    return csv_text(_VERSION_COLUMNS, _version_rows(edition))


def differences_csv(edition: Edition) -> str:
    """What the latest version changed; in the published edition, of what was printed."""
    return csv_text(_DIFFERENCE_COLUMNS, _difference_rows(edition))


def dsa_csv(edition: Edition) -> str:
    """What applies of the quantitative template of Regulation (EU) 2024/2835, which binds nobody here: a shape to
    follow.
    """
    cells = {(cell.metric, cell.basis, cell.dimension, cell.category): cell for cell in edition.cells}
    rows: list[Sequence[TableCell]] = []
    for section, indicator, place, what in _DSA:
        cell = cells.get(place)
        value: TableCell = None if cell is None else cell.share if what == "share" else cell.n
        rows.append((section, indicator, f"{edition.version.month:%Y-%m}", value, edition.rule_id))
    return csv_text(("section", "indicator", "period", "value", "disclosure_rule"), rows)


def methodology(edition: Edition) -> str:
    """How the figures were made, in words: terms, versions, disclosure control, and what each figure means."""
    version, terms, published = edition.version, edition.terms, edition.published
    parts = [
        f"# Method: suspension statistics {version.month:%Y-%m}, version {version.version}, {edition.kind} edition",
        f"Made from facts known until {version.known_until.isoformat()}, in days of {terms.zone}. Digest of the figures"
        f" `{version.digest}`, of the definitions `{version.definitions}`. `holdfast statistics reproduce --month"
        f" {version.month:%Y-%m}` computes them again.",
        f"Reviews are in time within {terms.review_working_days} working days; a repeat is within"
        f" {terms.repeat_days} days; a reviewer is in a band from {terms.least_reviews} reviews on."
        " Facts that contradict one another are counted under U01 and nowhere else. Intervals are Wilson's, of 95 %."
        " A figure is out of the ordinary if it is further from the mean of the months before than 2.66 times the mean"
        " difference from one to the next (XmR).",
        "This edition is complete and not to be published."
        if edition.is_internal
        else f"Disclosure rule `{published.rule}`: counts of 1 to {published.suppress_up_to} are hidden (`*`); others"
        + (
            f" are rounded to the nearest {published.base}, totals on their own;"
            if published.rule != "exact"
            else " are exact;"
        )
        + f" shares of fewer than {published.least_denominator} and medians of fewer than"
        f" {published.least_observations} are hidden, and so is whatever would tell a hidden number.",
    ]
    return "\n\n".join(parts) + "\n\n" + definitions.as_markdown(edition.definitions)


def _rows(edition: Edition) -> list[Sequence[TableCell]]:
    return [_row(edition, cell) for cell in edition.cells]


def _row(edition: Edition, cell: Cell) -> Sequence[TableCell]:
    metric = edition.definitions.metrics[cell.metric]
    cut = edition.definitions.cut(cell.metric, cell.basis, cell.dimension)
    assert cut is not None
    version, interval = edition.version, edition.interval(cell)
    low, high = interval or (None, None)
    head = (
        f"{version.month:%Y-%m}",
        version.version,
        cell.metric,
        metric.name,
        cell.basis,
        cell.dimension,
        cell.category,
    )
    unit = metric.unit_of(cut)
    share = cell.share if unit == "share" else None
    rate = edition.per_10000(cell) if unit == "per_10000" else None
    return (*head, unit, cell.n, cell.of_n, *map(_six, (share, low, high)), cell.rule_id, _six(rate))


def _six(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def _version_rows(edition: Edition) -> list[Sequence[TableCell]]:
    return [(one.version, one.known_until, one.made_at, one.reason, one.digest) for one in edition.versions]


def _difference_rows(edition: Edition) -> list[Sequence[TableCell]]:
    return [(*one.place, one.n_before, one.of_n_before, one.n_after, one.of_n_after) for one in edition.differences]


def _trend_rows(edition: Edition) -> list[Sequence[TableCell]]:
    return [
        (*one.place, one.name, f"{month:%Y-%m}", n, *map(_six, (one.low, one.high)), one.is_outside(n))
        for one in edition.trends
        for month, n in one.months
    ]
