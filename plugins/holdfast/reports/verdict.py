"""A verdict on a run: how it went, what stands in the way of 'yes', and the words that its sentences are made of."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from holdfast.reports.html import counted


class Standing(enum.StrEnum):
    """How the night went, from best to worst; a dry run has no standing of that kind."""

    KEPT = "kept"
    PARTLY = "partly"
    UNFINISHED = "unfinished"
    REFUSED = "refused"
    FAILED = "failed"
    INCIDENT = "incident"
    DRY_RUN = "dry-run"


STANDINGS = {
    Standing.KEPT: ("Kept", "good"),
    Standing.PARTLY: ("Kept in part", "warn"),
    Standing.UNFINISHED: ("Not finished", "bad"),
    Standing.REFUSED: ("Refused", "bad"),
    Standing.FAILED: ("Failed", "bad"),
    Standing.INCIDENT: ("Incident", "bad"),
    Standing.DRY_RUN: ("Dry run", "warn"),
}
"""Standing -> its words and its tone on a page."""


@dataclass(frozen=True)
class Verdict:
    """`sentence` is the verdict; `points` say what was not kept, `notes` what a reader should know besides."""

    standing: Standing
    sentence: str
    points: tuple[str, ...]
    notes: tuple[str, ...]


def capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def rows(count: int) -> str:
    return counted(count, "row")


def was(count: int) -> str:
    return "was" if count == 1 else "were"


def is_(count: int) -> str:
    return "is" if count == 1 else "are"


def waits(count: int) -> str:
    return "waits" if count == 1 else "wait"
