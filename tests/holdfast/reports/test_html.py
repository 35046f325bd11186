"""Pages: whatever a value holds, it is text on the page; what is unknown is an error or says that it is unknown."""

from __future__ import annotations

import datetime as dt
from html.parser import HTMLParser
from pathlib import Path

import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.reports import html

PAGE = """{% extends "page.html.j2" %}
{% block title %}{{ value }}{% endblock %}
{% block content %}<p title="{{ value }}">{{ value }}</p>{% endblock %}
"""

HOSTILE = (
    "<script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    '" onmouseover="alert(1)',
    "' onfocus='alert(1)' autofocus='",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "</style><script>alert(1)</script>",
    "{{ 7 * 7 }}{% raw %}",
    "&lt;script&gt;&#x3c;script&#x3e;",
    "javascript:alert(1)",
    "\u202e\u0000<b>",
)


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_value_is_text(tmp_path: Path, value: str) -> None:
    page = _page(tmp_path, value)
    assert page.tags.count("script") == 0
    assert page.tags.count("img") == 0
    assert page.tags.count("svg") == 0
    assert page.handlers == []
    assert page.paragraph == value


@given(value=st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\r"), max_size=60))
def test_any_value_is_text(tmp_path_factory: pytest.TempPathFactory, value: str) -> None:
    page = _page(tmp_path_factory.mktemp("page"), value)
    assert page.paragraph == value
    assert page.title == value


def test_the_page_may_run_nothing_and_fetch_nothing(tmp_path: Path) -> None:
    page = _page(tmp_path, "x")
    assert page.policy == (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
    )
    text = _text(tmp_path, "x")
    assert "http://" not in text
    assert "https://" not in text
    assert "url(" not in text


def test_an_unknown_name_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "p.html.j2").write_text(PAGE.replace("{{ value }}</p>", "{{ valeu }}</p>"))
    with pytest.raises(jinja2.UndefinedError, match="valeu"):
        html.render(tmp_path / "p.html.j2", {"value": "x"}, zone="UTC")


def test_what_was_not_counted_is_never_zero() -> None:
    assert html.number(None) == "not counted"
    assert html.number(0) == "0"
    assert html.number(1_234_567) == "1,234,567"


def test_figures_and_times_are_told_as_people_write_them() -> None:
    assert html.counted(1, "row") == "1 row"
    assert html.counted(1_200, "row") == "1,200 rows"
    shares = [html.share(value) for value in (0, 0.00001, 0.0042, 0.05, 1)]
    assert shares == ["0.0%", "under 0.01%", "0.42%", "5.0%", "100.0%"]
    assert html.day(dt.date(2026, 3, 1)) == "1 March 2026"
    assert html.short_day(dt.date(2026, 3, 1)) == "1 Mar 2026"
    instant = dt.datetime(2026, 7, 1, 0, 30, tzinfo=dt.UTC)
    assert html.instant(instant, "Europe/London") == "1 July 2026, 01:30 BST"
    assert html.instant(instant, "UTC") == "1 July 2026, 00:30 UTC"
    assert html.brief("sha256:" + "ab" * 32) == "abababababab"


class _Page(HTMLParser):
    """The parts of a page that the tests look at."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.handlers: list[str] = []
        self.policy = ""
        self.paragraph = ""
        self.title = ""
        self._inside = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.handlers += [name for name, _ in attrs if name.startswith("on")]
        self._inside = tag
        if tag == "meta" and dict(attrs).get("http-equiv") == "Content-Security-Policy":
            self.policy = dict(attrs).get("content") or ""

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "p":
            self.paragraph += data
        if self._inside == "title":
            self.title += data


def _text(folder: Path, value: str) -> str:
    (folder / "p.html.j2").write_text(PAGE)
    return html.render(folder / "p.html.j2", {"value": value}, zone="UTC")


def _page(folder: Path, value: str) -> _Page:
    return _Page(_text(folder, value))
