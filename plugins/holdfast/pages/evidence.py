"""Evidence: runs and whether they are sealed, signed checkpoints, verification on demand, packs to take away."""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
from functools import partial
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi import Path as InPath
from starlette.background import BackgroundTask
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response

from holdfast import clock, queries
from holdfast.evidence import attachments, certificate, reported, signing
from holdfast.evidence import pack as packs
from holdfast.evidence.copies import Copies
from holdfast.evidence.verify import Verdict, verify
from holdfast.pages.access import Permission
from holdfast.pages.reports import REPORT_POLICY
from holdfast.pages.visit import FORM, Entry, Visit, Visitor, needs
from holdfast.run_history import watchdog
from holdfast.run_history.rules import KINDS
from holdfast.suspension_statistics import rules

ENTRY = Entry("Evidence", "evidence", "Runs, signed checkpoints, verification, packs to take away")
router = APIRouter()

RUNS, CHECKPOINTS, SHOWN = 50, 20, 50
_LARGEST = 2**31 - 1
_SAYS = {
    Verdict.OK: ("good", "Nothing is amiss: every entry is what was written, and what was signed."),
    Verdict.INCOMPLETE: ("warn", "Nothing is altered, but a seal or a checkpoint has no copy outside the database."),
    Verdict.INVALID: ("bad", "The ledger or a report was altered. Keep database, reports and copies as they are."),
}
RunId = Annotated[int, InPath(ge=1, le=_LARGEST)]


@router.get("/evidence", name="evidence", dependencies=[needs(Permission.READ)])
def evidence(visit: Visitor, before: Annotated[int | None, Query(ge=1, le=_LARGEST)] = None) -> Response:
    """The last runs and checkpoints, and what does not agree; runs before a certain one."""
    with visit.reading() as connection:
        asked = {"job": "", "before_run": before, "runs": RUNS + 1}
        runs = queries.run(connection, "pages/runs_sealed", asked).all()
        checkpoints = queries.run(connection, "pages/last_checkpoints", {"checkpoints": CHECKPOINTS}).all()
        ledger = queries.run(connection, "pages/ledger_now").one()
        disagreements = watchdog.listed(connection)
    settings = visit.site.settings
    return visit.page(
        "evidence.html.j2",
        runs=runs[:RUNS],
        has_older=len(runs) > RUNS,
        checkpoints=checkpoints,
        ledger=ledger,
        disagreements=disagreements[-SHOWN:],
        more_disagreements=len(disagreements[:-SHOWN]),
        kinds=KINDS,
        public_key=str(signing.key_of(settings).public) if signing.has_key(settings) else None,
        others=list(policy.data_map.connections) if (policy := visit.site.policy()) else [],
    )


@router.post("/evidence/verify", name="verify", dependencies=[needs(Permission.VERIFY), FORM])
def verify_now(visit: Visitor) -> Response:
    """Read the whole ledger and every report, and compare both with all that was sealed, signed and entered.

    A million entries take some seconds.
    """
    visit.costly()
    loaded = visit.site.settings
    with visit.site.engine().connect() as connection:
        result = verify(connection, loaded.seals, Copies(loaded.checkpoints))
    reports = reported.check(visit.site.engine(), loaded.reports)
    verdict = Verdict.INVALID if reports.altered else result.verdict
    tone, sentence = _SAYS[verdict]
    return visit.page(
        "verified.html.j2", result=result, reports=reports, verdict=verdict, tone=tone, sentence=sentence,
        section="evidence",
    )  # fmt: skip


@router.get("/evidence/pack", name="pack", dependencies=[needs(Permission.TAKE_EVIDENCE)])
def take_pack(
    visit: Visitor,
    run: Annotated[int | None, Query(ge=1, le=_LARGEST)] = None,
    request: Annotated[int | None, Query(ge=1, le=_LARGEST)] = None,
    month: Annotated[str | None, Query(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$")] = None,
) -> Response:
    """A pack of a run, of what concerns a request, or of a month: one file, which `holdfast-verify` checks."""
    chosen = {"run": run, "request": request, "month": month}
    given = {name: value for name, value in chosen.items() if value is not None}
    if len(given) != 1:
        raise visit.missing("A pack is of one run, of one request, or of one month.")
    visit.costly()
    ((name, value),) = given.items()
    folder = Path(tempfile.mkdtemp(prefix="holdfast-pack-"))
    clean_up = partial(shutil.rmtree, folder, ignore_errors=True)
    try:
        file = _make(visit, folder / "pack.zip", run, request, month)
    except BaseException:
        clean_up()
        raise
    return FileResponse(
        file,
        media_type="application/zip",
        filename=f"holdfast-{name}-{value}.zip",
        background=BackgroundTask(clean_up),
    )


def _make(visit: Visit, target: Path, run: int | None, request: int | None, month: str | None) -> Path:
    """Never with a key of our own making: what a web server signs first would be all that anybody could check it by."""
    loaded = visit.site.settings
    key = signing.key_of(loaded)
    with visit.reading() as connection:
        if run is not None:
            if not queries.run(connection, "enforcement/run_by_id", {"run_id": run}).all():
                raise visit.missing("There is no such run.")
            selection = packs.of_run(run, attachments.copies_of_run(connection, run))
        elif request is not None:
            selection = packs.of_request(connection, request)
        else:
            selection = packs.of_period(connection, *_month(str(month), visit.site.zone()))
        found = packs.read(connection, Copies(loaded.checkpoints))
        return packs.make(found, key, selection, target, partial(attachments.of_entries, connection, loaded))


def _month(month: str, zone: str) -> tuple[dt.datetime, dt.datetime]:
    first = dt.date.fromisoformat(f"{month}-01")
    return clock.midnight(first, zone), clock.midnight(rules.after(first), zone)


@router.get("/evidence/runs/{run_id}/certificate", name="certificate", dependencies=[needs(Permission.TAKE_EVIDENCE)])
def certify(visit: Visitor, run_id: RunId) -> Response:
    """A certificate of destruction of a sealed run, to print and sign."""
    with visit.reading() as connection:
        found = certificate.compose(connection, run_id)
    page = certificate.page_of(found, visit.site.zone())
    return HTMLResponse(page, headers={"Content-Security-Policy": REPORT_POLICY})


@router.get("/evidence/checkpoints/{size}", name="checkpoint", dependencies=[needs(Permission.READ)])
def checkpoint(visit: Visitor, size: Annotated[int, InPath(ge=1, le=2**62)]) -> Response:
    """A signed checkpoint, to keep: no pack of another history will agree with it."""
    with visit.reading() as connection:
        found = queries.run(connection, "pages/checkpoint", {"size": size}).one_or_none()
    if found is None:
        raise visit.missing("There is no such checkpoint.")
    headers = {"Content-Disposition": f'attachment; filename="checkpoint-{size}.txt"'}
    return PlainTextResponse(found.note, headers=headers)
