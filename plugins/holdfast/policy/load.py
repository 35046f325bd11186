"""From files to a policy: everything that is wrong is found at once, and a policy with a fault is never returned.

Values are read strictly: "yes" is not true and "500" is not a number, because a policy that is guessed at is enforced
approximately. The digest names what the policy says, whatever its comments, its order and its layout.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pydantic
from pydantic_core import ErrorDetails

from holdfast.errors import PolicyError
from holdfast.policy import consistency, model
from holdfast.policy.documents import Reading, read_document
from holdfast.policy.problems import Check, EntryPath, Places, PolicyRefused, Problem


@dataclass(frozen=True)
class Document:
    """One of the three files of a policy: its name in `Policy`, its file name and its model."""

    name: str
    file: str
    model: type[model.Strict]


DOCUMENTS = (
    Document("data_map", "data_map.yaml", model.DataMap),
    Document("schedule", "retention_schedule.yaml", model.RetentionSchedule),
    Document("holds", "holds.yaml", model.Holds),
)


@dataclass(frozen=True)
class Text:
    """A document that is no file here: its name in messages, and its bytes."""

    name: str
    content: bytes


Source = Path | Text
_Model = TypeVar("_Model", bound=model.Strict)


# What to do about the errors that pydantic describes in a programmer's words.
_FIXES = {
    "bool_type": "write true or false, without quotes.",
    "int_type": "write a whole number, without quotes.",
    "float_type": "write a number, without quotes.",
    "string_type": "write text; put it in quotes if it looks like a number, null, true or false.",
    "string_too_short": "write it out in words: a reader needs the reason, not a label.",
    "string_pattern_mismatch": "use letters, digits, _ and - as in the other entries of this kind.",
    "union_tag_invalid": "use one of the values named; write null in quotes ('null').",
    "literal_error": "use one of the values named.",
    "enum": "use one of the values named.",
    "date_parsing": "write a day that exists, as 2027-03-31.",
    "too_short": "name at least one.",
    "reserved": "take another name for the connection.",
    "number": "give it a shorter number, or part the digits with _ or -: the ledger refuses it as it is.",
}
_MISSING_FIXES = {
    "approvers": "name who may approve a plan above its caps, as `dpo: Data protection officer`.",
    "period": "give the standard period, in ISO 8601: P6Y, P12M, P90D.",
    "deletion_class": "name the deletion class, which gives the period.",
    "law": "name the law or the reason that the period rests on.",
    "source": "name where the law or the reason can be read.",
    "owner": "name who answers for it.",
    "reason": "say why, in a sentence.",
    "review_by": "give the day by which somebody looks at it again.",
}


def load_policy(folder: Path) -> model.Policy:
    """The policy in the three files of `folder`. Raises PolicyRefused with every finding."""
    return parse_policy({file.name: file for file in (folder / document.file for document in DOCUMENTS)})


def load_variant(folder: Path, file: Path) -> model.Policy:
    """The policy of `folder` with one of its documents taken from `file`, whatever that file is called.

    Raises PolicyRefused if the result is no policy, PolicyError if the file looks like none of the three.
    """
    sources: dict[str, Source] = {document.file: folder / document.file for document in DOCUMENTS}
    content = _read(DOCUMENTS[0], file).content
    keys = set(content) - {"version"} if isinstance(content, dict) else set()
    meant = [document for document in DOCUMENTS if keys & (document.model.model_fields.keys() - {"version"})]
    if len(meant) != 1:
        names = ", ".join(document.file for document in DOCUMENTS)
        raise PolicyError(
            f"{file} is none of the documents of a policy.", fix=f"give a file that is written like one of {names}."
        )
    return parse_policy({**sources, meant[0].file: file})


def load_revision(repo: Path, rev: str, folder: str) -> model.Policy:
    """The policy as it was at a git revision; `folder` is relative to the top of `repo`, or begins with `./`.

    Raises PolicyRefused if what was there is no policy by today's models, PolicyError if nothing was there.
    """
    texts: dict[str, Source] = {}
    for document in DOCUMENTS:
        name = f"{rev}:{folder}/{document.file}"
        # --end-of-options: a revision is never taken for an option.
        command = ["git", "-C", str(repo), "show", "--end-of-options", name]
        shown = subprocess.run(command, capture_output=True, check=False)
        if shown.returncode != 0:
            raise PolicyError(
                f"There is no policy at {name} ({shown.stderr.decode(errors='replace').strip()}).",
                fix="give a revision that has all three files, for example main~1.",
            )
        texts[document.file] = Text(name, shown.stdout)
    return parse_policy(texts)


def load_document(kind: type[_Model], file: Path) -> tuple[_Model, str]:
    """A document that stands beside the three, and the digest of what it says. Raises PolicyRefused."""
    document = Document(file.stem, file.name, kind)
    reading = _read(document, file)
    if reading.problems:
        raise PolicyRefused(reading.problems)
    try:
        return kind.model_validate_json(json.dumps(reading.content), strict=True), _digest([reading])
    except pydantic.ValidationError as error:
        places = Places(files={reading.document: reading.file}, lines=reading.lines)
        raise PolicyRefused(_problems_of(error, reading, places)) from None


def parse_policy(sources: Mapping[str, Source]) -> model.Policy:
    """The policy that three documents make; `sources` has one for each file name. Raises PolicyRefused."""
    readings = [_read(document, sources[document.file]) for document in DOCUMENTS]
    places = Places(
        files={reading.document: reading.file for reading in readings},
        lines={path: line for reading in readings for path, line in reading.lines.items()},
    )
    problems = [problem for reading in readings for problem in reading.problems]
    models: dict[str, model.Strict] = {}
    for document, reading in zip(DOCUMENTS, readings, strict=True):
        if reading.problems:
            continue
        try:
            # JSON, because only there does a strict model still take a list for a tuple and text for a date.
            models[document.name] = document.model.model_validate_json(json.dumps(reading.content), strict=True)
        except pydantic.ValidationError as error:
            problems += _problems_of(error, reading, places)
    if problems:
        raise PolicyRefused(problems)
    policy = model.Policy.model_validate({**models, "digest": _digest(readings), "places": places})
    problems += consistency.problems(policy)
    if problems:
        raise PolicyRefused(problems)
    return policy


def _read(document: Document, source: Source) -> Reading:
    name = source.name if isinstance(source, Text) else str(source)
    try:
        content = source.content if isinstance(source, Text) else source.read_bytes()
        return read_document(document.name, name, content.decode("utf-8"))
    except OSError as error:
        why, fix = f"the file cannot be read ({error.strerror}).", "restore the file, or correct the folder."
    except UnicodeDecodeError as error:
        why, fix = f"byte {error.start} is not UTF-8.", "save the file as UTF-8."
    reading = Reading(document.name, name)
    reading.refuse(Check.UNREADABLE, 1, (document.name,), why, fix)
    return reading


def _digest(readings: Iterable[Reading]) -> str:
    content = {reading.document: reading.content for reading in readings}
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return "sha256:" + hashlib.sha256(canonical.encode("utf-8")).hexdigest()


def _problems_of(error: pydantic.ValidationError, reading: Reading, places: Places) -> Iterator[Problem]:
    for details in error.errors(include_url=False):
        check, path, what, fix = _told(details, reading)
        line = places.line(path)
        yield Problem(reading.file, line, ".".join(path[1:]), check, what, fix)


def _told(details: ErrorDetails, reading: Reading) -> tuple[Check, EntryPath, str, str]:
    """A pydantic error in the words of whoever wrote the file."""
    path = _path_of(details["loc"], reading)
    key = str(details["loc"][-1]) if details["loc"] else ""
    match details["type"]:
        case "missing":
            fix = _MISSING_FIXES.get(key, f"add `{key}:`.")
            return Check.MISSING_KEY, (*path, key), f"`{key}` is missing.", fix
        case "extra_forbidden":
            return Check.UNKNOWN_KEY, path, f"nothing here is called `{key}`.", _spelling(key)
        case kind:
            what = details["msg"].removeprefix("Value error, ")
            fix = _FIXES.get(kind, "see the schema in policy/schema/ for what fits.")
            return Check.UNFIT_VALUE, path, f"{what}.", fix


def _path_of(loc: tuple[int | str, ...], reading: Reading) -> EntryPath:
    """The part of a pydantic location that is in the file: it also names union members, which are not."""
    path: EntryPath = (reading.document,)
    for part in loc:
        if (*path, str(part)) in reading.lines:
            path = (*path, str(part))
    return path


def _spelling(key: str) -> str:
    known = {name for kind in _all_models(model.Strict) for name in kind.model_fields}
    close = difflib.get_close_matches(key, sorted(known), n=1)
    return f"did you mean `{close[0]}`? Otherwise remove it." if close else "remove it, or move it to where it belongs."


def _all_models(base: type[model.Strict]) -> Iterator[type[model.Strict]]:
    for kind in base.__subclasses__():
        yield kind
        yield from _all_models(kind)
