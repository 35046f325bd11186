"""Letters to the people who asked for erasure: written when they are owed, kept apart, and erased in their turn.

A letter lies in `letters/<number of the request>/<kind>/` of the store, as HTML and PDF, readable by its owner
alone. The register and the ledger know its digest. Nothing of a letter goes anywhere else: no report, log, error or
ledger entry carries a name or an address. docs/decisions/0008-letters.md has the reasons.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa

from holdfast import database, queries, store
from holdfast.clock import last_due_start, midnight
from holdfast.deletion_requests import letter_check, letter_text, letters_addressee, letters_store
from holdfast.deletion_requests.deadlines import Terms
from holdfast.deletion_requests.letter_text import Letter
from holdfast.deletion_requests.letters_facts import Case, Kind, LetterFacts, LetterRules, facts_of
from holdfast.deletion_requests.letters_store import Owed
from holdfast.errors import HoldfastError
from holdfast.evidence import ledger
from holdfast.evidence.pseudonyms import PREFIX, pseudonym
from holdfast.policy.model import Policy
from holdfast.reports import files
from holdfast.settings import Settings

HTML, PDF = "letter.html", "letter.pdf"
_CODE_PURPOSE = "letter"
_CODE_DIGITS = 20
_AT_ONCE = 200
_ONE_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Stationery:
    """What every letter is made with."""

    settings: Settings
    policy: Policy
    terms: Terms
    rules: LetterRules


@dataclass(frozen=True)
class Failed:
    """A letter that is owed and could not be written. `error` is the kind of error, `what` its words, without data."""

    request_id: int
    kind: Kind
    error: str
    what: str


@dataclass(frozen=True)
class Written:
    """What a night wrote.

    `unaddressed` are open requests that must not be carried out, for nobody could be told; what they are owed waits for
    an address. `given_up` ended without one: no letter is to come, and compliance tells the person some other way.
    """

    letters: tuple[Owed, ...]
    failed: tuple[Failed, ...]
    unaddressed: tuple[int, ...]
    given_up: tuple[int, ...]


def write_owed(engine: sa.Engine, stationery: Stationery, *, run_id: int, now: dt.datetime) -> Written:
    """Write every letter that is owed on the night of the run, each in a transaction of its own; dated `now`.

    Call it once before anything is erased (it keeps the addresses) and once after. A letter that cannot be written
    stays owed and stops no other. Raises PolicyError if a letter cannot be made from the words, before anything is
    written.
    """
    letter_check.check(stationery.policy, stationery.settings.policy / letters_addressee.FOLDER)
    unaddressed = letters_addressee.take(engine, stationery.settings, stationery.rules.address_from, now=now)
    with database.transaction(engine) as connection:
        given_up = letters_store.give_up(connection)
        if given_up:
            ledger.append(connection, "letter_impossible", {"requests": list(given_up)}, run_id)
        owed = letters_store.owed(connection, run_id)
    written: list[Owed] = []
    failed: list[Failed] = []
    for one in owed:
        try:
            if _write(engine, stationery, one, now):
                written.append(one)
        except (HoldfastError, OSError) as error:
            what = error.what if isinstance(error, HoldfastError) else "the letter's files could not be written"
            failed.append(Failed(one.request_id, one.kind, type(error).__name__, what))
    letters_addressee.forget(engine, stationery.settings, now=now)
    return Written(tuple(written), tuple(failed), unaddressed, given_up)


def erase_expired(engine: sa.Engine, stationery: Stationery, *, now: dt.datetime) -> int:
    """Erase the letters of requests closed so long ago that nothing needs them; the number of requests.

    Never those of an open request, of a person about whom everything is held, or of anybody while a source of holds is
    not believed. No hold can be placed while a batch is erased.
    """
    zone = stationery.terms.zone
    today = stationery.terms.day_of(now)
    values = {
        "closed_before": midnight(last_due_start(stationery.rules.keep, today) + _ONE_DAY, zone),
        "today": today,
        "at_once": _AT_ONCE,
    }
    requests = 0
    while True:
        with database.transaction(engine) as connection:
            queries.run(connection, "deletion_requests/letter_lock_holds")
            expired = queries.run(connection, "deletion_requests/letter_expired", values).scalars().all()
            for request_id in expired:
                _erase(connection, stationery.settings, request_id, now)
        if not expired:
            return requests
        requests += len(expired)


def code_of(settings: Settings, reference: str, kind: Kind) -> str:
    """What proves that a letter is ours: keyed, the same whenever it is asked for. For example 7F3A-90C2-..."""
    keyed = pseudonym(settings.pseudonym_key(), _CODE_PURPOSE, f"{reference} {kind}").removeprefix(PREFIX)
    digits = keyed[:_CODE_DIGITS].upper()
    return "-".join(digits[start : start + 4] for start in range(0, len(digits), 4))


def _write(engine: sa.Engine, stationery: Stationery, one: Owed, now: dt.datetime) -> bool:
    """False if somebody else wrote it meanwhile. The files come first: a row without its letter would be a lie."""
    with database.transaction(engine) as connection:
        if not letters_store.lock(connection, one):
            return False
        facts = _facts(connection, stationery, one, now)
        letter = _letter(connection, stationery, one, facts)
        contents: dict[str, str | bytes] = {HTML: letter.html, PDF: letter.pdf}
        kept = files.write_set(stationery.settings.letters, (str(one.request_id), one.kind.value), contents)
        letters_store.record(
            connection,
            one,
            sha256=kept.sha256,
            file_name=f"{one.request_id}/{one.kind}",
            rest=facts.rest if one.kind is Kind.OUTCOME else (),
            written_at=now,
        )
        entry = {"request": one.request_id, "kind": one.kind.value, "letter": f"sha256:{kept.sha256}"}
        ledger.append(connection, "letter_written", entry)
    return True


def _facts(connection: sa.Connection, stationery: Stationery, one: Owed, now: dt.datetime) -> LetterFacts:
    request = letters_store.request_of(connection, one.request_id)
    told = letters_store.told_of(connection, one.request_id) if one.kind is Kind.OUTCOME else []
    case = Case(one.kind, request, told, code_of(stationery.settings, request.reference, one.kind), now)
    return facts_of(case, stationery.policy, stationery.terms, stationery.rules)


def _letter(connection: sa.Connection, stationery: Stationery, one: Owed, facts: LetterFacts) -> Letter:
    addressee = letters_addressee.read(connection, stationery.settings, one.request_id)
    folder = stationery.settings.policy / letters_addressee.FOLDER
    return letter_text.letter_of(facts, addressee, stationery.rules.keep, folder, zone=stationery.terms.zone)


def _erase(connection: sa.Connection, settings: Settings, request_id: int, now: dt.datetime) -> None:
    """Files and note go together: if a file cannot be erased, nothing is noted."""
    values = {"request_id": request_id, "erased_at": now}
    letters = queries.run(connection, "deletion_requests/letter_erase", values).rowcount
    queries.run(connection, "deletion_requests/letter_forget_addressee", values)
    store.remove(letters_addressee.folder_of(settings, request_id))
    ledger.append(connection, "letters_erased", {"request": request_id, "letters": letters})
