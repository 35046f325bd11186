"""One request as people write it, field by field: what is wrong with it, or the request it describes.

The same reading for a row of a file and for a person at the command line. A fault never quotes what was written: it may
be anybody's data, and results are read by people who may not see it.
"""

from __future__ import annotations

import datetime as dt
import enum
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from holdfast.deletion_requests import scope
from holdfast.deletion_requests.deadlines import Terms
from holdfast.deletion_requests.register import Channel
from holdfast.errors import RequestError
from holdfast.policy.model import Policy
from holdfast.reports.tables import harmless

REQUIRED = ("reference", "channel", "received_at", "subject_key", "scope")
OPTIONAL = ("identity_requested_at", "identity_confirmed_at")
MOMENTS = ("received_at", *OPTIONAL)
MAX_CHARACTERS = 2_000
"""Of one field; more is no scope that a person wrote."""

CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.:/-]{0,127}")
_SUBJECT = re.compile(r"\S(?:.{0,126}\S)?")
_MOMENT = re.compile(
    r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?:Z|[+-]\d{2}:\d{2})?)?", flags=re.ASCII
)
_CHANNELS = frozenset(Channel)
_UNDECODABLE = "\ufffd"


class Check(enum.StrEnum):
    """The stable id of each kind of fault; an id is never used again.

    R0 the file as a whole · R1 a line · R2 a field · R3 against the register and the accounts.
    """

    FILE_KIND = "R001"
    FILE_SIZE = "R002"
    FILE_ROWS = "R003"
    FILE_COLUMNS = "R004"

    LINE_LENGTH = "R101"
    LINE_QUOTES = "R102"
    LINE_FIELDS = "R103"

    MISSING = "R201"
    FIELD_LENGTH = "R202"
    ENCODING = "R203"
    CONTROL_CHARACTER = "R204"
    FORMULA = "R205"
    REFERENCE = "R206"
    CHANNEL = "R207"
    SUBJECT = "R208"
    SCOPE = "R209"
    MOMENT = "R210"
    MOMENT_RANGE = "R211"
    MOMENT_ORDER = "R212"

    UNKNOWN_SUBJECT = "R301"
    RECORD_KEY = "R302"
    REFERENCE_TAKEN = "R303"
    NOT_THEIRS = "R304"


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong, the field it is in (empty: the whole), and what a person should do."""

    check: Check
    field: str
    what: str
    fix: str


@dataclass(frozen=True)
class NewRequest:
    """A request that is well formed; whether its subject exists is not known yet.

    `identity_confirmed_at` without `identity_requested_at`: nobody had to ask, so the clock began with the receipt.
    """

    reference: str
    channel: Channel
    subject_key: str
    received_at: dt.datetime
    scope: scope.Scope
    identity_requested_at: dt.datetime | None
    identity_confirmed_at: dt.datetime | None


def read(fields: Mapping[str, str], policy: Policy, terms: Terms, now: dt.datetime) -> NewRequest | tuple[Fault, ...]:
    """The request that the fields describe, or everything that is wrong with them. Those of REQUIRED must be there."""
    unreadable = tuple(_unreadable(fields))
    if unreadable:
        return unreadable
    written = {name: text.strip() for name, text in fields.items()}
    moments = {name: _moment(written[name], terms) for name in MOMENTS if written.get(name)}
    faults = [*_of_codes(written), *_of_moments(moments, terms, now)]
    parts: scope.Scope = ()
    try:
        parts = scope.parse(written["scope"], policy)
    except RequestError as error:
        faults.append(Fault(Check.SCOPE, "scope", error.what, error.fix))
    received_at = moments["received_at"]
    if faults or received_at is None:
        return tuple(faults)
    return NewRequest(
        reference=written["reference"],
        channel=Channel(written["channel"]),
        subject_key=written["subject_key"],
        received_at=received_at,
        scope=parts,
        identity_requested_at=moments.get("identity_requested_at"),
        identity_confirmed_at=moments.get("identity_confirmed_at"),
    )


def _unreadable(fields: Mapping[str, str]) -> Iterator[Fault]:
    """Fields that are not there, or that nothing more can be said about."""
    for name, text in fields.items():
        if len(text) > MAX_CHARACTERS:
            yield Fault(
                Check.FIELD_LENGTH,
                name,
                f"it is longer than {MAX_CHARACTERS} characters.",
                "shorten it, or split the row.",
            )
        elif _UNDECODABLE in text:
            yield Fault(Check.ENCODING, name, "it has bytes that are not UTF-8.", "save the file as CSV UTF-8.")
        elif not text.isprintable():
            yield Fault(Check.CONTROL_CHARACTER, name, "it has a control character, such as NUL.", "remove it.")
        elif harmless(text) != text:
            yield Fault(
                Check.FORMULA, name, "a spreadsheet would run it as a formula.", "begin it with a letter or a digit."
            )
        elif name in REQUIRED and not text.strip():
            yield Fault(Check.MISSING, name, "it is empty.", "fill it in.")


def _of_codes(written: Mapping[str, str]) -> Iterator[Fault]:
    if CODE.fullmatch(written["reference"]) is None:
        yield Fault(
            Check.REFERENCE,
            "reference",
            "it is not a code.",
            "use a letter, then up to 127 letters, digits and _ . : / -, and nothing that names a customer.",
        )
    if written["channel"] not in _CHANNELS:
        yield Fault(Check.CHANNEL, "channel", "there is no such channel.", f"use one of {', '.join(Channel)}.")
    if _SUBJECT.fullmatch(written["subject_key"]) is None:
        yield Fault(Check.SUBJECT, "subject_key", "it is longer than 128 characters.", "give the account's own key.")


def _of_moments(moments: Mapping[str, dt.datetime | None], terms: Terms, now: dt.datetime) -> Iterator[Fault]:
    days: dict[str, dt.date] = {}
    for name, moment in moments.items():
        if moment is None:
            yield Fault(
                Check.MOMENT,
                name,
                "it is no day, or day and time, that exists.",
                "write 2026-11-24 or 2026-11-24 09:30.",
            )
        elif moment > now:
            yield Fault(Check.MOMENT_RANGE, name, "it lies in the future.", "correct it.")
        elif not terms.working_days.covers(terms.day_of(moment)):
            first = terms.working_days.first
            yield Fault(Check.MOMENT_RANGE, name, f"it lies before {first}, where no deadline is known.", "correct it.")
        else:
            days[name] = terms.day_of(moment)
    for before, after in (("received_at", "identity_requested_at"), ("identity_requested_at", "identity_confirmed_at")):
        # By days: whoever knows only the day writes it beside somebody else's day and time.
        if before in days and after in days and days[after] < days[before]:
            yield Fault(Check.MOMENT_ORDER, after, f"it lies before {before}.", "correct one of the two.")


def _moment(text: str, terms: Terms) -> dt.datetime | None:
    """A day, or a day and time; in the controller's zone where none is given. None for anything else."""
    if _MOMENT.fullmatch(text) is None:
        return None
    try:
        moment = dt.datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(terms.zone))).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None
