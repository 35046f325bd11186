"""What the authority answers to a delivered file: which of its records it accepted, and which it rejected.

The profile 'NG-999 response v1' is this project's own, like the extract's: lines of plain CSV,
`RSP,1,<provider>,<sequence>,<answered at>,<ACCEPTED|PARTIAL|REJECTED>`, then one
`ANS,<line>,<number>,<ACCEPTED|REJECTED>,<code>` for each record that is named, and `END,<number of those>`. A record
that is not named shares the fate of the file; in a partial answer it was accepted.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import re
from dataclasses import dataclass

import sqlalchemy as sa

from holdfast import queries
from holdfast.errors import ExtractRefused
from holdfast.evidence import ledger
from holdfast.store import AnyPath

OUTCOMES = ("ACCEPTED", "PARTIAL", "REJECTED")
WHOLE_FILE_CODE = "FILE"
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,20}")
_NUMBER = re.compile(r"\+44[0-9]{9,10}")
_PROVIDER = re.compile(r"[A-Z0-9]{1,12}")
_MOST_BYTES = 500_000_000


@dataclass(frozen=True)
class Answer:
    """One record that a response names."""

    line_no: int
    number: str
    is_accepted: bool
    code: str | None


@dataclass(frozen=True)
class Response:
    """A file of answers to the release of `sequence`."""

    sha256: str
    file_name: str
    provider: str
    sequence: int
    answered_at: dt.datetime
    outcome: str
    answers: tuple[Answer, ...]


@dataclass(frozen=True)
class Matched:
    """What a response changed, in records. `unmatched` lines name none of ours, or one that was sent again since."""

    accepted: int
    rejected: int
    unmatched: int
    is_new: bool = True


def read(path: AnyPath) -> Response:
    """Read a response. Raises ExtractRefused, naming the line and never what stands there, if it is not one."""
    if path.stat().st_size > _MOST_BYTES:
        raise _refusal("it is far too large")
    content = path.read_bytes()
    try:
        lines = list(csv.reader(content.decode("ascii").splitlines(), strict=True))
    except (UnicodeDecodeError, csv.Error):
        raise _refusal("it is not plain CSV") from None
    if len(lines) < 2:
        raise _refusal("it has no header or no end")
    provider, sequence, answered_at, outcome = _header(lines[0])
    answers = tuple(_answer(cells, number) for number, cells in enumerate(lines[1:-1], start=2))
    if lines[-1] != ["END", str(len(answers))]:
        raise _refusal("its end is missing, or counts other lines", len(lines))
    if len({one.line_no for one in answers}) != len(answers):
        raise _refusal("it answers a line twice")
    digest = hashlib.sha256(content).hexdigest()
    return Response(digest, path.name, provider, sequence, answered_at, outcome, answers)


def apply(connection: sa.Connection, response: Response, now: dt.datetime) -> Matched:
    """Match the response in the caller's transaction. One that was read before changes nothing.

    Raises ExtractRefused if no such release was delivered.
    """
    which: dict[str, object] = {"provider": response.provider, "sequence": response.sequence}
    if queries.run(connection, "emergency/release_of", which).one_or_none() is None:
        raise _refusal("it answers a file that was not delivered")
    _stage(connection, response.answers)
    unmatched = int(queries.run(connection, "emergency/unmatched_answers", which).scalar_one())
    given = {**which, "whole_file": response.outcome == "REJECTED", "answered_at": response.answered_at}
    rejecting = {**given, "file_code": WHOLE_FILE_CODE}
    rejected = queries.run(connection, "emergency/apply_rejections", rejecting).one()
    accepted = queries.run(connection, "emergency/apply_acceptances", given).one()
    counts = {"accepted": accepted.records, "rejected": rejected.records, "unmatched": unmatched}
    recorded = {
        **which,
        **counts,
        "accepted_first": accepted.first,
        "rejected_first": rejected.first,
        "sha256": response.sha256,
        "file_name": response.file_name,
        "answered_at": response.answered_at,
        "at": now,
        "outcome": response.outcome,
    }
    if queries.run(connection, "emergency/record_response", recorded).one_or_none() is None:
        return Matched(0, 0, 0, is_new=False)
    queries.run(connection, "emergency/end_rejects", {"provider": response.provider, "at": now})
    facts: dict[str, ledger.JSON] = {
        **counts,
        "provider": response.provider,
        "sequence": response.sequence,
        "outcome": response.outcome,
        "file": f"sha256:{response.sha256}",
    }
    ledger.append(connection, "response_read", facts)
    return Matched(**counts)


def _stage(connection: sa.Connection, answers: tuple[Answer, ...]) -> None:
    queries.run(connection, "emergency/stage_answers")
    values = {
        "line_nos": [one.line_no for one in answers],
        "numbers": [one.number for one in answers],
        "are_accepted": [one.is_accepted for one in answers],
        "codes": [one.code for one in answers],
    }
    queries.run(connection, "emergency/store_answers", values)


def _header(cells: list[str]) -> tuple[str, int, dt.datetime, str]:
    match cells:
        case ["RSP", "1", provider, sequence, answered_at, outcome] if (
            _PROVIDER.fullmatch(provider) and re.fullmatch("[0-9]{1,9}", sequence) and outcome in OUTCOMES
        ):
            try:
                instant = dt.datetime.strptime(answered_at, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=dt.UTC)
            except ValueError:
                raise _refusal("its header has no time", 1) from None
            return provider, int(sequence), instant, outcome
    raise _refusal("its header is not one", 1)


def _answer(cells: list[str], number: int) -> Answer:
    match cells:
        case ["ANS", line_no, e164, ("ACCEPTED" | "REJECTED") as outcome, code] if re.fullmatch(
            "[0-9]{1,9}", line_no
        ) and _NUMBER.fullmatch(e164):
            if (outcome == "REJECTED") == bool(_CODE.fullmatch(code)):
                return Answer(int(line_no), e164, outcome == "ACCEPTED", code or None)
    raise _refusal("a line is no answer", number)


def _refusal(what: str, line: int | None = None) -> ExtractRefused:
    where = "" if line is None else f" (line {line})"
    return ExtractRefused(f"The response is refused: {what}{where}.", fix="ask the authority for it again.")
