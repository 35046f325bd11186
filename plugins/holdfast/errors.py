"""Every error Holdfast raises on purpose, in one tree.

An error's docstring states the harm it prevents. Its message says what happened, where, and what to do about it.
Facts are attributes and carry no personal data: rule ids, counts, digests, paths of files.
"""

from __future__ import annotations

import traceback
from pathlib import Path

_PLUGINS = Path(__file__).parents[1]


class HoldfastError(Exception):
    """Base of all. `fix` says what a person should do next; `str()` is what happened, where, and that fix."""

    def __init__(self, what: str, *, fix: str, **facts: object) -> None:
        super().__init__(what)
        self.what = what
        self.fix = fix
        self.facts = facts

    def __str__(self) -> str:
        return f"{self.what} Fix: {self.fix}"


class SettingsError(HoldfastError):
    """Working with half a configuration would run against the wrong database or write to the wrong place."""


class DatabaseUnreachable(HoldfastError):
    """A database that does not answer must never be mistaken for one with nothing to delete."""


class MigrationError(HoldfastError):
    """A schema that is not the one this version was tested with could accept what it should refuse."""


class QueryError(HoldfastError):
    """A query whose parameters or result are not as declared would count or delete something else."""


class PolicyError(HoldfastError):
    """A policy that cannot be read exactly would be enforced approximately.

    `problems` lists every finding, each with file, line, path and fix.
    """


class CoverageError(PolicyError):
    """A table or column nobody registered may hold personal data that no rule will ever delete."""


class HoldError(HoldfastError):
    """A hold that cannot be recorded exactly would protect the wrong records."""


class HoldSourceUntrusted(HoldfastError):
    """A hold might exist that we cannot see; believing 'no hold' would delete what must be kept."""


class RequestError(HoldfastError):
    """A deletion request that is taken in wrongly, or changed out of order, erases too early, too much or never."""


class LetterRefused(HoldfastError):
    """A letter that says too much, too little or to the wrong person cannot be taken back."""


class Unprintable(HoldfastError):
    """A page whose signs no font has would show boxes where a name should be."""


class RunRefused(HoldfastError):
    """A run that may not start: a past date, a future date, or another run still open."""


class TurnTaken(HoldfastError):
    """Two runs that delete at once could not tell each other's deletions from rows that are lost."""


class PlanChanged(HoldfastError):
    """What was approved is not what would be deleted now."""


class ApprovalRefused(HoldfastError):
    """A person said no, or nobody answered; nothing may be deleted on silence."""


class Fenced(HoldfastError):
    """A newer attempt owns this shard; committing now would count the same rows twice."""


class FileRemains(HoldfastError):
    """A file would outlive the row that knew of it."""


class StoreUnlisted(HoldfastError):
    """A listing that broke off would look like a store with less in it."""


class ObjectsWithoutRow(HoldfastError):
    """An object that no row knows of is personal data that no rule will ever delete and no hold can be placed on."""


class MatrixIncomplete(HoldfastError):
    """A request without a decision for some of its data would be forgotten there."""


class SurvivorsFound(HoldfastError):
    """A run would report a deletion that did not happen."""


class ConservationError(HoldfastError):
    """Rows are missing that no ledger entry accounts for."""


class HeldRowsChanged(HoldfastError):
    """A row under a hold, or one that was not due, is not what it was before the run."""


class UndoRefused(HoldfastError):
    """Rows brought back in part, on one person's word, or against an erasure would be a second mistake, not an undo."""


class DatabaseRestored(HoldfastError):
    """A database of an earlier moment does not know the holds and requests that came after it."""


class LedgerError(HoldfastError):
    """Evidence that is altered, incomplete or unreadable proves nothing."""


class ReportAltered(HoldfastError):
    """A report that somebody changed after the night would be believed, because it still looks like one."""


class HistoryDisagrees(HoldfastError):
    """A night that Airflow, the ledger and the calendar tell differently was not what one of them says."""


class LayoutError(HoldfastError):
    """A file read by a wrong description would put a street into the place of a name."""


class ExtractRefused(HoldfastError):
    """A broken file, loaded in part, would look like a small one: what it lacks would seem to have ceased."""


class RuleSetError(HoldfastError):
    """A rule that is not checked as it is written would let through what it was made to stop."""


class CallsWithoutData(HoldfastError):
    """Somebody dialled 999 and could not be found; it happens again with the next call until the record is there."""


class DeliveryRefused(HoldfastError):
    """A file sent twice, or out of its order, would undo what the authority was told in between."""


class StatisticsError(HoldfastError):
    """A figure that is not what its definition says would be believed, and published."""


def description(error: BaseException) -> str:
    """What may be told of an error. Of one of ours its type and message; of any other its type, SQLSTATE and place.

    Not its message: a database's own messages quote the rows they complain about. The place is the lines of ours that
    led there.
    """
    if isinstance(error, HoldfastError):
        return f"{type(error).__name__}: {error}"
    code = sqlstate(error)
    told = f" (SQLSTATE {code})" if code else ""
    frames = [(Path(frame.filename), frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    ours = [f"{file.relative_to(_PLUGINS)}:{line}" for file, line in frames if file.is_relative_to(_PLUGINS)]
    return f"{type(error).__module__}.{type(error).__name__}{told} at {' > '.join(ours)}"


def sqlstate(error: BaseException) -> str | None:
    """The five characters by which PostgreSQL says what went wrong; None where there was nobody to say it."""
    code: str | None = getattr(getattr(error, "orig", error), "sqlstate", None)
    return code
