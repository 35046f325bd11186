"""A letter as HTML and PDF, from the words in policy/letters, which compliance staff edit."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from pathlib import Path

import jinja2

from holdfast.clock import Period
from holdfast.deletion_requests.letters_facts import Kind, LetterFacts
from holdfast.errors import PolicyError
from holdfast.policy.model import Policy
from holdfast.reports import html, pdf

FONTS = "fonts"
"""The folder below policy/letters for fonts with signs that those of the PDF writer lack."""
_WORDS = "words.j2"


@dataclass(frozen=True)
class Addressee:
    """To whom a letter goes. `lines` is the postal address, without the name."""

    name: str
    lines: tuple[str, ...]
    email: str | None


@dataclass(frozen=True)
class Letter:
    """A letter, ready to be kept."""

    html: str
    pdf: bytes


def letter_of(facts: LetterFacts, addressee: Addressee, keep: Period, folder: Path, *, zone: str) -> Letter:
    """The letter that the templates in `folder` make.

    Raises PolicyError if a template cannot be used, Unprintable if the PDF cannot show a sign; neither quotes a letter.
    """
    page = html_of(facts, addressee, keep, folder, zone=zone)
    return Letter(page, pdf.pdf_of(page, on=facts.written_on, fonts=folder / FONTS))


def html_of(facts: LetterFacts, addressee: Addressee, keep: Period, folder: Path, *, zone: str) -> str:
    """The letter as HTML alone. Raises PolicyError if a template cannot be used."""
    context = {"letter": facts, "addressee": addressee, "kept_for": _in_words(keep)}
    template = folder / f"{facts.kind}.html.j2"
    try:
        return html.render(template, context, zone=zone)
    except jinja2.TemplateError as error:
        refusal = _refusal(template, error)
    raise refusal


def check_words(policy: Policy, folder: Path) -> None:
    """Raises PolicyError unless every letter has a template, and every dataset, category and reason its words."""
    missing = [f"{kind}.html.j2" for kind in Kind if not (folder / f"{kind}.html.j2").is_file()]
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(folder), autoescape=True)
    try:
        words = environment.get_template(_WORDS).module
    except jinja2.TemplateError as error:
        refusal = _refusal(folder / _WORDS, error)
    else:
        categories = {column.category for one in policy.data_map.datasets.values() for column in one.columns.values()}
        for table, codes in (("CATEGORIES", categories), ("RECORDS", set(policy.data_map.datasets))):
            missing += [f"{table}: {code}" for code in sorted(codes - set(getattr(words, table, {})))]
        if not missing:
            return
        refusal = PolicyError(
            f"The letters have no words for {len(missing)} things: {', '.join(missing)}.",
            fix=f"add them to the files in policy/letters; {_WORDS} has the tables.",
        )
    raise refusal


def _refusal(template: Path, error: jinja2.TemplateError) -> PolicyError:
    """Without the error's own words where they could quote what was filled in."""
    where = f"policy/letters/{template.name}"
    if isinstance(error, jinja2.TemplateSyntaxError):
        where = f"policy/letters/{error.name or template.name}, line {error.lineno}"
    elif places := _places(error, template.parent):
        where = places[-1]
    return PolicyError(
        f"The letter cannot be made from {where}: {type(error).__name__}.",
        fix="correct the template; every name in it must be one of those that the shipped templates use.",
    )


def _places(error: BaseException, folder: Path) -> list[str]:
    """The lines of our templates that were being filled in, outermost first; Jinja names them in its traceback."""
    frames = traceback.extract_tb(error.__traceback__)
    inside = [frame for frame in frames if Path(frame.filename).parent == folder and frame.lineno]
    return [f"policy/letters/{Path(frame.filename).name}, line {frame.lineno}" for frame in inside]


def _in_words(period: Period) -> str:
    """For example: 6 years; 18 months; 90 days."""
    years, months = divmod(period.months, 12)
    counts = [(years, "year"), (months, "month")] if years > 1 or not months else [(period.months, "month")]
    parts = [html.counted(count, unit) for count, unit in (*counts, (period.days, "day")) if count]
    return " and ".join(parts)
