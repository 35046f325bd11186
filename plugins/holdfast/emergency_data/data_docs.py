"""Great Expectations' own page of a validation, made whole: it loads nothing, so it reads the same without a network.

The library renders what it found; page and style are ours, in place of its own, which fetch both from public servers.
Import this module only where a suite is run: it imports the library, which takes seconds.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jinja2
from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
from great_expectations.render.view.view import DefaultJinjaPageView

from holdfast.errors import RuleSetError

_LINK_ELSEWHERE = re.compile(r'<a href="(?!#)[^"]*"[^>]*>(.*?)</a>', re.DOTALL)


class _Page(DefaultJinjaPageView):
    _template = "data_docs.html.j2"

    def __init__(self) -> None:
        super().__init__()
        ours = jinja2.FileSystemLoader(Path(__file__).parent)
        self.env.loader = jinja2.ChoiceLoader([ours, *filter(None, [self.env.loader])])


def write(result: Any, page: Path) -> None:
    """Write the page of a validation's result. Raises RuleSetError if it would show more than counts."""
    for one in result.results:
        beyond = {name for name, value in one.result.items() if not isinstance(value, int | float | None) and value}
        if beyond:
            raise RuleSetError(
                f"The result of {one.expectation_config.type} holds more than counts: {', '.join(sorted(beyond))}.",
                fix="let the expectation return counts; documents must not quote records.",
            )
    document = ValidationResultsPageRenderer(run_info_at_end=True).render(result)
    view: Any = _Page()  # whose functions have no types
    text = view.render(document, rules=_by_rule(result))
    text = _LINK_ELSEWHERE.sub(r"\1", text)  # to pages of the library's site, which is not made
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(text, encoding="utf-8")


def _by_rule(result: Any) -> list[dict[str, Any]]:
    """What the library found of each rule: its expectations, and how many records broke one of them, summed up."""
    found: dict[str, dict[str, Any]] = {}
    for one in result.results:
        meta = one.expectation_config.meta
        rule = found.setdefault(meta["rule"], {**meta, "expectations": 0, "failed": 0, "unexpected": 0})
        rule["expectations"] += 1
        rule["failed"] += not one.success
        rule["unexpected"] += int(one.result.get("unexpected_count") or 0)
    return sorted(found.values(), key=lambda rule: (rule["rule"][1:], rule["rule"]))
