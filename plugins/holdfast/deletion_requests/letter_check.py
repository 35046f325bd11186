"""Can every letter be made from the words in policy/letters? Tried with invented people, before any letter is owed.

Compliance staff edit the words. A mistake must come to light when they check it, and not on the night on which a letter
is due, so each way a letter can take is taken here once: every reason, every ground, with and without a day.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator
from pathlib import Path

from holdfast.clock import Period
from holdfast.deletion_requests import letter_text
from holdfast.deletion_requests.letter_text import Addressee
from holdfast.deletion_requests.letters_facts import CategoryFacts, Kept, Kind, LetterFacts, Reason
from holdfast.deletion_requests.register import Extension, Refusal
from holdfast.deletion_requests.scope import Part, Scope
from holdfast.errors import PolicyError, Unprintable
from holdfast.policy import parts
from holdfast.policy.model import Policy
from holdfast.reports import pdf_tree

_DAY = dt.date(2026, 11, 24)
_KEEP = Period(months=72, days=0)
_WITHOUT_MAIL = Addressee("A. Sample", ("1 Sample Row",), None)
_WITH_MAIL = Addressee("A. Sample", (), "sample@example.com")


def check(policy: Policy, folder: Path) -> None:
    """Raises PolicyError, naming file and line, for the first letter that could not be made. `folder` has the words."""
    letter_text.check_words(policy, folder)
    for facts in _samples(policy):
        for addressee in (_WITH_MAIL, _WITHOUT_MAIL):
            page = letter_text.html_of(facts, addressee, _KEEP, folder, zone=policy.schedule.time_zone)
            try:
                pdf_tree.read(page)
            except Unprintable as error:
                refusal = _refusal(error, page, folder, facts.kind)
            else:
                continue
            raise refusal


def _samples(policy: Policy) -> Iterator[LetterFacts]:
    """A letter of each kind for each turn that its words can take."""
    for scope in _scopes(policy):
        plain = _plain(Kind.ACKNOWLEDGEMENT, scope)
        yield dataclasses.replace(plain, due_on=_DAY)
        yield dataclasses.replace(plain, due_on=_DAY, withdraw_until=_DAY)
        yield dataclasses.replace(plain, waits_for="identity")
        yield dataclasses.replace(plain, waits_for="fee")
        yield _plain(Kind.OUTCOME, scope)
        yield _plain(Kind.WITHDRAWAL, scope)
        for refusal in Refusal:
            yield dataclasses.replace(_plain(Kind.REFUSAL, scope), refusal_reason=refusal.value)
        yield from _outcomes(policy, scope)
    for extension in Extension:
        told = {"first_due_on": _DAY, "due_on": _DAY, "extension_reason": extension.value}
        yield dataclasses.replace(_plain(Kind.EXTENSION), **told)  # type: ignore[arg-type]
    final = _plain(Kind.FINAL)
    yield dataclasses.replace(final, outcome_on=_DAY, rest=tuple(policy.data_map.datasets))


def _outcomes(policy: Policy, scope: Scope) -> Iterator[LetterFacts]:
    names = tuple(policy.data_map.datasets)
    kinds = {category for dataset in policy.data_map.datasets.values() for category in parts.categories(dataset)}
    gone = tuple(CategoryFacts(category, names, names, ()) for category in sorted(kinds))
    stays = tuple(CategoryFacts(category, (), (), names) for category in sorted(kinds))
    reasons = (
        Reason("hold", "A reason.", "A ground."), Reason("law", ground="A law."), Reason("needed"), Reason("others"),
        Reason("start"),
    )  # fmt: skip
    for until, review_on in ((_DAY, None), (None, _DAY), (None, None)):
        kept = tuple(Kept(name, reasons, until, review_on) for name in names)
        outcome = dataclasses.replace(_plain(Kind.OUTCOME, scope), categories=stays, kept=kept, rest=names)
        yield outcome
        yield dataclasses.replace(outcome, in_part=frozenset(names), inseparable=names)
    yield dataclasses.replace(_plain(Kind.OUTCOME, scope), categories=gone)


def _scopes(policy: Policy) -> Iterator[Scope]:
    """The whole account, and every part that there can be."""
    yield ()
    named = [Part(dataset=name) for name in policy.data_map.datasets]
    records = [Part(dataset=name, record_key="1") for name in policy.data_map.datasets]
    categories = {one for dataset in policy.data_map.datasets.values() for one in parts.categories(dataset)}
    yield (*named, *records, *(Part(category=one) for one in sorted(categories)))


def _plain(kind: Kind, scope: Scope = ()) -> LetterFacts:
    return LetterFacts(
        kind=kind,
        reference="DR-1",
        code="0000-0000",
        is_electronic=True,
        received_on=_DAY,
        written_on=_DAY,
        scope=scope,
        cool_off_days=7,
    )


def _refusal(error: Unprintable, page: str, folder: Path, kind: Kind) -> PolicyError:
    """The line of the page is looked for in the templates: what is not filled in stands there as it does here."""
    number = error.facts.get("line")
    line = page.splitlines()[number - 1].strip() if isinstance(number, int) else ""
    where = f"policy/letters/{kind}.html.j2"
    for file in sorted(folder.glob("*.j2")):
        for place, text in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
            if line and text.strip() == line:
                where = f"policy/letters/{file.name}, line {place}"
    return PolicyError(
        f"The letter {kind} cannot be printed because of {where}: {error.what.partition(': ')[2] or error.what}",
        fix="use only the HTML elements that the shipped letters use, each with its closing tag.",
    )
