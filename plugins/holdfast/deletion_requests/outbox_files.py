"""How a notice travels: as a JSON file by default, and as the text of an e-mail for whoever sends those."""

from __future__ import annotations

import json
from pathlib import Path

import jinja2

from holdfast.deletion_requests.outbox import Notice, Transport
from holdfast.errors import PolicyError
from holdfast.reports import files
from holdfast.settings import Settings

RECIPIENTS = "recipients"
_TEMPLATE = "notice.txt.j2"
_SUBJECTS = {
    "erased": "Erasure of personal data",
    "restricted": "Restriction of personal data",
    "emergency_cease": "Cease of an emergency address",
}


def to_files(settings: Settings) -> Transport:
    """A transport that leaves each notice in `outbox/recipients/<recipient>/<number>/notice.json` of the store.

    The same notice again takes the place of the first, so here it arrives exactly once.
    """

    def put(notice: Notice) -> None:
        folder = (RECIPIENTS, notice.recipient, str(notice.notice_id))
        files.write_set(settings.outbox, folder, {"notice.json": json_of(notice)})

    return put


def json_of(notice: Notice) -> str:
    """What a recipient reads by machine: codes, pseudonyms and the number to answer with."""
    told = {
        "version": 1,
        "notice": notice.notice_id,
        "kind": notice.kind,
        "request": notice.request,
        "subject": notice.subject,
        "datasets": notice.datasets,
        "in_part": notice.in_part,
        "categories": notice.categories,
        "queued_at": notice.queued_at.isoformat(timespec="seconds"),
    }
    return json.dumps(told, indent=2) + "\n"


def mail_of(notice: Notice, folder: Path) -> tuple[str, str]:
    """Subject and text of an e-mail, from the template in `folder` (policy/letters). Raises PolicyError."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=False,  # it is no HTML, and a notice has only codes and pseudonyms
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    try:
        text = environment.get_template(_TEMPLATE).render(notice=notice)
    except jinja2.TemplateError as error:
        raise PolicyError(
            f"The notice cannot be made from policy/letters/{_TEMPLATE}: {type(error).__name__}.",
            fix="correct the template; every name in it must be one of a notice's.",
        ) from error
    return f"{_SUBJECTS[notice.kind]}, notice {notice.notice_id}", text
