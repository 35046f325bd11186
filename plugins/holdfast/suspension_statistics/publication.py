"""What was published of each version, kept as it was. Whoever publishes more of a month, or of the one next to it, must
hide what would tell what is left of it, and whoever compares months may print nothing else.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import astuple, dataclass

import sqlalchemy as sa

from holdfast import queries
from holdfast.evidence import ledger
from holdfast.suspension_statistics import disclosure, rules
from holdfast.suspension_statistics.definitions import Definitions
from holdfast.suspension_statistics.disclosure import Cell, Edition
from holdfast.suspension_statistics.rules import Figure
from holdfast.suspension_statistics.store import Version
from holdfast.suspension_statistics.terms import Published

OPENING = ("M19", "event", "flow", "open_at_the_beginning")
CLOSING = ("M19", "event", "flow", "open_at_the_end")


@dataclass(frozen=True)
class Publication:
    """The published edition of a version. `edition` is what was true and what of it is hidden."""

    month: dt.date
    version: int
    cells: Sequence[Cell]
    edition: Edition

    @property
    def terms(self) -> Published:
        return self.edition.terms


def published(connection: sa.Connection, since: dt.date) -> list[Publication]:
    """What was published of months from one on, in the order of publication."""
    made = []
    for row in queries.run(connection, "suspension_statistics/publications", {"since": since}):
        terms = Published.model_validate_json(row.terms)
        cells = [Cell(*one) for one in json.loads(row.cells)]
        edition = Edition(tuple(rules.figures_of(row.figures)), frozenset(json.loads(row.hidden)), terms)
        made.append(Publication(row.month, row.version, cells, edition))
    return made


def publish(
    connection: sa.Connection,
    version: Version,
    definitions: Definitions,
    terms: Published,
    before: Sequence[Publication],
    *,
    now: dt.datetime,
) -> Publication:
    """The publication of a version: the one that there is (in `before`), or one made now.

    Raises StatisticsError if nothing that may still be hidden keeps a small number from being told.
    """
    known = [one for one in before if (one.month, one.version) == (version.month, version.version)]
    if known:
        return known[0]
    figures = rules.figures_of(version.figures)
    cells, edition = disclosure.publish(figures, definitions, terms, _seen_beside(version.month, before))
    text = _text([astuple(cell) for cell in cells])
    values = {
        "month": version.month,
        "version": version.version,
        "now": now,
        "terms": terms.model_dump_json(),
        "cells": text,
        "hidden": _text(sorted(edition.hidden)),
        "digest": rules.digest_of(text),
    }
    queries.run(connection, "suspension_statistics/add_publication", values)
    facts: dict[str, ledger.JSON] = {"month": version.month.isoformat(), "version": version.version}
    ledger.append(connection, "statistics_published", {**facts, "rule": terms.rule, "digest": rules.digest_of(text)})
    return Publication(version.month, version.version, cells, edition)


def _seen_beside(month: dt.date, before: Sequence[Publication]) -> list[Edition]:
    """What readers have of the month and of those next to it, as figures of this month.

    The reviews that are open when a month begins are those that were when the one before ended.
    """
    beside = {month: None, rules.after(month, -1): (CLOSING, OPENING), rules.after(month): (OPENING, CLOSING)}
    seen = []
    for one in before:
        if one.month in beside:
            places = beside[one.month]
            seen.append(one.edition if places is None else _as_ours(one.edition, *places))
    return seen


def _as_ours(edition: Edition, theirs: tuple[str, str, str, str], ours: tuple[str, str, str, str]) -> Edition:
    value = next(figure.n for figure in edition.figures if figure.place == theirs)
    hidden = frozenset({"/".join(ours)}) if "/".join(theirs) in edition.hidden else frozenset()
    return Edition((Figure(*ours, value, None),), hidden, edition.terms)


def _text(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
