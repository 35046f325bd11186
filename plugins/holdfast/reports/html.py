"""HTML pages that a person reads, prints and archives: one file, no script, nothing fetched from elsewhere.

Every value is escaped, whatever it is called and wherever it came from, and a name that a template does not know is an
error instead of a blank. The page forbids itself scripts and connections (Content-Security-Policy), so text that got
in unescaped could not do anything either.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

import jinja2

NOT_COUNTED = "not counted"


def render(template: Path, context: Mapping[str, object], *, zone: str) -> str:
    """The page that the file `template` makes of `context`; it may extend `page.html.j2`. Times are told in `zone`."""
    return _environment(template.parent, zone).get_template(template.name).render(context)


@functools.cache
def _environment(folder: Path, zone: str) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([folder, Path(__file__).parent]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        number=number,
        share=share,
        day=day,
        short_day=short_day,
        instant=lambda value: instant(value, zone),
        brief=brief,
        counted=counted,
    )
    return environment


def number(value: int | None) -> str:
    """Thousands apart; what was not counted says so and is never 0."""
    return NOT_COUNTED if value is None else f"{value:,}"


def counted(value: int, one: str, many: str | None = None) -> str:
    """For example: 1 row; 1,200 rows."""
    return f"{value:,} {one if value == 1 else many or one + 's'}"


def share(value: float) -> str:
    """Two significant places at least: a share that is not nothing must not look like nothing."""
    if 0 < value < 0.0001:
        return "under 0.01%"
    return f"{value:.1%}" if value >= 0.01 or value == 0 else f"{value:.2%}"


def day(value: dt.date) -> str:
    """For example: 24 November 2026."""
    return f"{value.day} {value:%B %Y}"


def short_day(value: dt.date) -> str:
    """For example: 24 Nov 2026, for a column of a table."""
    return f"{value.day} {value:%b %Y}"


def instant(value: dt.datetime, zone: str) -> str:
    """For example: 24 November 2026, 01:30 GMT."""
    local = value.astimezone(ZoneInfo(zone))
    return f"{day(local)}, {local:%H:%M %Z}"


def brief(digest: str) -> str:
    """The beginning of a digest, enough to tell two apart by eye."""
    return digest.removeprefix("sha256:")[:12]
