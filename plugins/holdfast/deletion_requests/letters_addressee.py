"""To whom the letters of a request go: taken from the provider's records while they are there, kept until the last one.

The contact is erased before the last letter is written, sometimes years before it. So name and address are kept in a
file beside the letters, readable by its owner alone: taken anew each night until the request is carried out, never
after that, and erased as soon as no letter is to come. A request without it must not be carried out, since nobody could
be told.
"""

from __future__ import annotations

import datetime as dt
import json
import unicodedata
from collections.abc import Collection, Iterable
from typing import Any

import sqlalchemy as sa

from holdfast import database, queries, store
from holdfast.deletion_requests.letter_text import Addressee
from holdfast.errors import LetterRefused, QueryError
from holdfast.evidence.pseudonyms import pseudonym
from holdfast.reports import files
from holdfast.settings import Settings
from holdfast.store import AnyPath

FOLDER = "letters"
_PROVIDER_QUERY = "provider/letter_addressee"
_COLUMNS = ["subject_key", "full_name", "address_lines", "email"]
_PART, _FILE = "addressee", "addressee.json"
_PURPOSE = "addressee"
_AT_ONCE = 1_000
_LONGEST = 120  # signs of a line that still fit the window of an envelope, with room to spare
_JOINERS = "\u200c\u200d"  # invisible, but Persian and several Indian scripts are wrong without them


def folder_of(settings: Settings, request_id: int) -> AnyPath:
    """Everything that is kept of the correspondence about one request."""
    return settings.letters / str(request_id)


def take(engine: sa.Engine, settings: Settings, address_from: Collection[str], *, now: dt.datetime) -> tuple[int, ...]:
    """Keep the address of every request not yet carried out, as the provider's records have it now.

    `address_from` are the datasets that the provider's query reads.

    Returns the open requests that have none: they cannot be carried out. Raises QueryError if the provider's query does
    not return what it must.
    """
    last = 0
    while True:
        with database.transaction(engine) as connection:
            values = {"after_request": last, "at_once": _AT_ONCE, "datasets": sorted(address_from)}
            wanted = queries.run(connection, "deletion_requests/letter_addressees_wanted", values).all()
            if not wanted:
                missing = queries.run(connection, "deletion_requests/letter_addressees_missing").scalars()
                return tuple(missing)
            found = _ask(connection, {row.subject_key for row in wanted})
            for row in wanted:
                if (addressee := found.get(row.subject_key)) is not None:
                    _keep(connection, settings, row, addressee, now)
        last = wanted[-1].request_id


def read(connection: sa.Connection, settings: Settings, request_id: int) -> Addressee:
    """To whom letters of this request go. Raises LetterRefused if that is not kept, or not what was kept."""
    values = {"request_id": request_id}
    kept = queries.run(connection, "deletion_requests/letter_addressee_of", values).scalar_one_or_none()
    path = folder_of(settings, request_id) / _PART / _FILE
    if kept is None or not path.exists():
        raise LetterRefused(
            f"There is no address for the letters of request {request_id}.",
            fix="see that sql/provider/letter_addressee.sql finds the subject, or restore the folder of letters.",
        )
    text = path.read_text(encoding="utf-8")
    if pseudonym(settings.pseudonym_key(), _PURPOSE, text) != kept:
        raise LetterRefused(
            f"The address for the letters of request {request_id} is not the one that was kept.",
            fix="find out who changed the file; restore it from its backup.",
        )
    given = json.loads(text)
    return Addressee(given["name"], tuple(given["lines"]), given["email"])


def forget(engine: sa.Engine, settings: Settings, *, now: dt.datetime) -> int:
    """Erase the addresses of the requests for which no letter is to come; their number."""
    with database.transaction(engine) as connection:
        done = queries.run(connection, "deletion_requests/letter_addressees_done").scalars().all()
    for request_id in done:
        erase(engine, settings, request_id, now=now)
    return len(done)


def erase(engine: sa.Engine, settings: Settings, request_id: int, *, now: dt.datetime) -> None:
    """Erase the address of one request. The file goes first: a crash in between leaves a note too few, not a file."""
    store.remove(folder_of(settings, request_id) / _PART)
    with database.transaction(engine) as connection:
        values = {"request_id": request_id, "erased_at": now}
        queries.run(connection, "deletion_requests/letter_forget_addressee", values)


def _ask(connection: sa.Connection, subject_keys: Iterable[str]) -> dict[str, Addressee]:
    """Whom the provider's own query names, cleaned. One without a name is no addressee."""
    rows = queries.run(connection, _PROVIDER_QUERY, {"subject_keys": sorted(subject_keys)})
    if sorted(rows.keys()) != sorted(_COLUMNS):
        raise QueryError(
            f"sql/{_PROVIDER_QUERY}.sql returns {', '.join(rows.keys())}.", fix=f"return {', '.join(_COLUMNS)}."
        )
    found: dict[str, Addressee] = {}
    for row in rows:
        if row.subject_key in found:
            raise QueryError(
                f"sql/{_PROVIDER_QUERY}.sql returns more than one addressee for a subject.", fix="return one of them."
            )
        lines = tuple(line for line in map(_clean, row.address_lines or ()) if line)
        if name := _clean(row.full_name):
            found[row.subject_key] = Addressee(name, lines, _clean(row.email) or None)
    return found


def _clean(text: str | None) -> str:
    """One line of visible signs: nothing that turns the reading direction or hides what follows."""
    kept = "".join(sign if sign in _JOINERS or unicodedata.category(sign)[0] != "C" else " " for sign in text or "")
    return " ".join(kept.split())[:_LONGEST].rstrip()


def _keep(
    connection: sa.Connection, settings: Settings, row: sa.Row[Any], addressee: Addressee, now: dt.datetime
) -> None:
    text = json.dumps(
        {"name": addressee.name, "lines": addressee.lines, "email": addressee.email}, ensure_ascii=False, sort_keys=True
    )
    content = pseudonym(settings.pseudonym_key(), _PURPOSE, text)
    if content == row.content_pseudonym:
        return
    files.write_set(settings.letters, (str(row.request_id), _PART), {_FILE: text})
    values = {"request_id": row.request_id, "content_pseudonym": content, "taken_at": now}
    queries.run(connection, "deletion_requests/letter_keep_addressee", values)
