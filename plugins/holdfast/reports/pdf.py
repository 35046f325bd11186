"""A page of ours as PDF: tagged for screen readers (PDF/UA-1), fit for an archive (PDF/A-2a), the same bytes each time.

Typst sets it (docs/decisions/0008-letters.md says why). What it is given is the page's own HTML, read into a tree, so
that the words of a page are written once; a text reaches it as a value and never as markup. The fonts are those that
Typst brings, and those in a folder of the caller's; the machine's own are not asked, or a page would look different on
each.
"""

from __future__ import annotations

import datetime as dt
import functools
import json
import re
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.errors import Unprintable
from holdfast.reports import pdf_tree

if TYPE_CHECKING:
    import typst

_SHEET = Path(__file__).with_name("page.typ")
_WITHOUT_SIGN = re.compile(r'the text `"(.)')


def pdf_of(page: str, *, on: dt.date, fonts: Path | None = None) -> bytes:
    """The PDF of an HTML page, dated `on`; `fonts` is a folder with fonts for signs that Typst's own do not have.

    Raises Unprintable for an element that has no place in print, or a sign that no font has; what it says quotes no
    text of the page.
    """
    import typst

    tree = pdf_tree.read(page)
    given = {**tree, "date": [on.year, on.month, on.day]}
    try:
        made: bytes = typst.compile(
            _SHEET,
            root=_SHEET.parent,
            font_paths=_fonts(fonts if fonts is not None and fonts.is_dir() else None),
            sys_inputs={"page": json.dumps(given)},
            format="pdf",
            pdf_standards=["ua-1", "a-2a"],
        )
        return made
    except typst.TypstError as error:
        refusal = _refusal(error.message)
    raise refusal  # outside the handler: the setter's error would come along and quotes the page


@functools.cache
def _fonts(folder: Path | None) -> typst.Fonts:
    """Read once: 20 milliseconds, and the time it takes to read the folder."""
    import typst

    return typst.Fonts(include_system_fonts=False, font_paths=[str(folder)] if folder else [])


def _refusal(message: str) -> Unprintable:
    sign = _WITHOUT_SIGN.search(message)
    if sign is None:
        # Whatever is quoted may be the page's text.
        return Unprintable(
            f"The page cannot be set: {message.partition('`')[0].strip()}.",
            fix="look at the template of the page, and at plugins/holdfast/reports/page.typ.",
        )
    script = unicodedata.name(sign.group(1), "unknown").split()[0].capitalize()
    return Unprintable(
        f"No font has a sign of the page; its script is {script}.",
        fix="put a font that has this script into the folder of fonts, for example one of the Noto family.",
        script=script,
    )
