"""From the inbox to the database: each file is loaded whole, refused whole, or left until the one before has come."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from holdfast import clock, database
from holdfast.emergency_data import file_checks, staging, store
from holdfast.emergency_data import layout_files as layouts
from holdfast.emergency_data.bounds import Bounds
from holdfast.emergency_data.layout import Layout
from holdfast.emergency_data.scan import Finding, Scan, scan
from holdfast.errors import ExtractRefused
from holdfast.evidence import ledger
from holdfast.store import AnyPath, files, here, move, private_folder

ZONE = "Europe/London"
UNKNOWN = "unknown"
LOADED, REFUSED, EARLY = "loaded", "refused", "early"
_SAFE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,100}")


@dataclass(frozen=True)
class Taken:
    """What became of a file. `rule_ids` says why it was refused."""

    file_name: str
    what: str
    extract_id: int | None
    rule_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Folders:
    """Where files lie. All of them hold names and addresses."""

    inbox: AnyPath
    received: AnyPath
    refused: AnyPath
    released: AnyPath
    responses: AnyPath
    calls: AnyPath

    @classmethod
    def below(cls, root: AnyPath) -> Folders:
        names = ("inbox", "received", "refused", "released", "responses", "calls")
        folders = cls(*(root / name for name in names))
        for name in names:
            private_folder(root, (name,))
        return folders


def waiting_files(inbox: AnyPath) -> list[AnyPath]:
    """The files of the inbox in the order of their names, without those that are still being written."""
    return [path for path in files(inbox) if not path.name.startswith("~")]


def names_digest(inbox: AnyPath) -> str:
    """The digest of the names of the files that wait, to see whether there are others now."""
    return hashlib.sha256("\n".join(path.name for path in waiting_files(inbox)).encode()).hexdigest()


def sender_of(known: dict[str, Layout], path: AnyPath) -> str:
    """The provider in a file's name; `unknown` where no layout has files of such names."""
    layout = next(layouts.of_file_name(known, path.name), None)
    name = layout.name_pattern.fullmatch(path.name) if layout else None
    return name.group("provider") if name else UNKNOWN


def take_in(
    engine: sa.Engine, folders: Folders, path: AnyPath, known: dict[str, Layout], bounds: Bounds, now: dt.datetime
) -> Taken:
    """Take one file in. A file that was loaded by an attempt that died is only moved."""
    with here(path) as copy:
        return _take_in(engine, folders, path, copy, known, bounds, now)


def _take_in(
    engine: sa.Engine,
    folders: Folders,
    path: AnyPath,
    copy: Path,
    known: dict[str, Layout],
    bounds: Bounds,
    now: dt.datetime,
) -> Taken:
    layout = next(layouts.of_file_name(known, path.name), None)
    if layout is None:
        return _refuse(engine, folders, path, _unread(copy), None, [Finding("F013", "unknown_name")], now)
    seen = scan(copy, layout)
    with database.transaction(engine) as connection:
        before = store.known(connection, seen.sha256)
    if before is not None:
        # An object store has the file under both names, if the attempt died while it was moved.
        is_half_moved = not isinstance(path, Path) or not (folders.received / path.name).exists()
        if before[1] == "received" and is_half_moved:
            move(path, folders.received / path.name)
            return Taken(path.name, LOADED, before[0])
        return _refuse(engine, folders, path, seen, layout, [Finding("F010", "here_before")], now)
    if seen.findings:
        return _refuse(engine, folders, path, seen, layout, seen.findings, now)
    return _load(engine, folders, path, copy, layout, seen, bounds, now)


def _load(
    engine: sa.Engine,
    folders: Folders,
    path: AnyPath,
    copy: Path,
    layout: Layout,
    seen: Scan,
    bounds: Bounds,
    now: dt.datetime,
) -> Taken:
    name = layout.name_pattern.fullmatch(path.name)
    assert name is not None
    provider = str(seen.header["provider"])
    try:
        with database.transaction(engine) as connection:
            last = store.last_sequence(connection, provider)
            around = file_checks.Surroundings(last, clock.local_date(now, ZONE), now)
            if not file_checks.name_differs(seen, name) and file_checks.comes_early(seen, around):
                return Taken(path.name, EARLY, None, ("F003",))
            _stop(file_checks.against_surroundings(seen, name, around, bounds.file))
            extract_id = store.open_extract(
                connection, seen, file_name=path.name, layout=layout.layout, state="received", at=now
            )
            if extract_id is None:
                raise ExtractRefused("Another process is taking this file in.", fix="let it end.")
            table = staging.load(connection, extract_id, copy, layout, seen)
            _stop(staging.counts_differ(connection, table, seen))
    except ExtractRefused as refused:
        findings = refused.facts.get("findings") or [refused.facts.get("finding")]
        assert isinstance(findings, list)
        if findings == [None]:
            raise
        return _refuse(engine, folders, path, seen, layout, findings, now)
    move(path, folders.received / path.name)
    return Taken(path.name, LOADED, extract_id)


def _stop(findings: list[Finding]) -> None:
    if findings:
        raise ExtractRefused(f"The file breaks {findings[0]}.", fix="see the rule.", findings=findings)


def _refuse(
    engine: sa.Engine,
    folders: Folders,
    path: AnyPath,
    seen: Scan,
    layout: Layout | None,
    findings: list[Finding],
    now: dt.datetime,
) -> Taken:
    """Record the refusal, then put the file aside under its digest. It is kept as it came."""
    rule_ids = tuple(dict.fromkeys(one.rule_id for one in findings))
    with database.transaction(engine) as connection:
        name = layout.layout if layout else None
        bare = Scan(sha256=seen.sha256, records=seen.records)  # a broken file's own header is not to be believed
        # What no layout knows may be called anything, also after a customer: it is found by its digest.
        called = path.name if layout else f"{UNKNOWN}-{seen.sha256[:12]}"
        extract_id = store.open_extract(connection, bare, file_name=called, layout=name, state="refused", at=now)
        if extract_id is not None:
            store.record_findings(connection, extract_id, findings)
        facts: dict[str, ledger.JSON] = {"file": f"sha256:{seen.sha256}", "rules": list(rule_ids), "size": seen.size}
        if layout and _SAFE_NAME.fullmatch(path.name) and not re.search("[0-9]{9}", path.name):
            facts["name"] = path.name
        ledger.append(connection, "extract_refused", facts)
    move(path, folders.refused / f"{seen.sha256[:12]}-{path.name}")
    return Taken(path.name, REFUSED, extract_id, rule_ids)


def _unread(path: Path) -> Scan:
    with path.open("rb") as file:
        return Scan(sha256=hashlib.file_digest(file, "sha256").hexdigest(), size=path.stat().st_size)
