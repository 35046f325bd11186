"""Any page of ours can be set: what is on it is in the PDF, in order, tagged, and nothing is left out in silence."""

from __future__ import annotations

import datetime as dt
import io
import re
from html import escape

import pypdf
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from holdfast.errors import Unprintable
from holdfast.reports import charts, pdf, pdf_tree

DAY = dt.date(2026, 11, 24)


def page(body: str, layout: str = "") -> str:
    return (
        '<!DOCTYPE html>\n<html lang="en-GB">\n<head>\n<meta charset="utf-8">\n<meta name="author" content="A &amp; B">'
        '<meta name="running" content="Running"><title>A title</title><style>p { color: red; }</style></head>\n'
        f'<body class="{layout}">\n<h1>One</h1>\n{body}\n</body>\n</html>\n'
    )


def read(body: str) -> list[object]:
    """The tree of a body, without its heading."""
    return list(pdf_tree.read(page(body))["has"])[1:]


def text_of(body: str) -> str:
    reader = pypdf.PdfReader(io.BytesIO(pdf.pdf_of(page(body), on=DAY)))
    return re.sub(r"\s+", " ", " ".join(one.extract_text() for one in reader.pages))


def test_every_element_is_set_in_order() -> None:
    text = text_of(
        "<h2><span class='no'>1</span>Two</h2><p>Three <strong>four</strong> <em>five</em> <code>six</code>"
        " <small>seven</small><br>eight <a href='#x'>nine</a></p><ul><li>ten</li><li><p>eleven</p></li></ul>"
        "<ol><li>twelve</li></ol><dl><dt>thirteen</dt><dd>fourteen</dd><div><dt>fifteen</dt><dd>sixteen</dd></div></dl>"
        "<section><div><h3>seventeen</h3></div></section><footer><p>eighteen</p></footer>"
    )
    first, tens = (
        ("One", "1", "Two", "Three", "four", "five", "six", "seven", "eight", "nine"),
        ("ten", "eleven", "twelve"),
    )
    teens = ("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen")
    places = [text.find(word) for word in (*first, *tens, *teens)]
    assert -1 not in places
    assert places == sorted(places)


def test_a_list_of_contents_is_left_to_the_bookmarks() -> None:
    body = "<nav><ol><li>Contents</li></ol></nav><h2>Two</h2>"
    reader = pypdf.PdfReader(io.BytesIO(pdf.pdf_of(page(body), on=DAY)))
    assert "Contents" not in reader.pages[0].extract_text()
    assert "Two" in repr(reader.outline)


def test_a_table_keeps_its_head_on_every_page_and_its_foot_at_the_end() -> None:
    rows = "".join(f"<tr><td>row {number}</td><td class='n'>{number}</td></tr>" for number in range(200))
    body = (
        "<table><caption>The caption</caption><thead><tr><th>Name</th><th class='n'>Number</th></tr></thead>"
        f"<tbody>{rows}</tbody><tfoot><tr><th>All</th><td class='n'>19,900</td></tr></tfoot></table>"
    )
    reader = pypdf.PdfReader(io.BytesIO(pdf.pdf_of(page(body), on=DAY)))
    assert len(reader.pages) > 2
    for number, one in enumerate(reader.pages, start=1):
        text = one.extract_text()
        assert "Name" in text
        assert f"{number} of {len(reader.pages)}" in text
        assert ("19,900" in text) == (number == len(reader.pages))


def test_cells_that_span_are_counted() -> None:
    [table] = read(
        "<table><tbody><tr><td colspan='2'>a</td><td>b</td></tr><tr><td rowspan='2'>c</td></tr></tbody></table>"
    )
    assert isinstance(table, dict)
    assert table["columns"] == [0, 0, 0]
    assert [(one["colspan"], one["rowspan"]) for one in table["body"]] == [(2, 1), (1, 1), (1, 2)]


def test_columns_of_long_text_share_what_short_ones_leave() -> None:
    row = f"<tr><td>short</td><td>{'long ' * 5}</td><td>{'longer ' * 15}</td></tr>"
    [table] = read(f"<table><tbody>{row}<tr><td>a</td></tr></tbody></table>")
    assert isinstance(table, dict)
    short, long, longer = table["columns"]
    assert short == 0
    assert 0 < long < longer < 3 * long


def test_a_chart_is_told_in_words() -> None:
    drawn = charts.stacked_bars(
        "sample",
        "Rows by dataset",
        "A bar each.",
        ["Messages"],
        [charts.Series("erased", [7], "#1d4b57")],
        as_shares=False,
    )
    [figure] = read(f"<figure>{drawn}<figcaption>Below</figcaption></figure>")
    assert isinstance(figure, dict)
    [chart, _] = figure["has"]
    assert chart["source"] == drawn
    assert chart["words"].startswith("Rows by dataset A bar each. In rows. Messages: erased 7.")
    assert "Below" in text_of(f"<figure>{drawn}<figcaption>Below</figcaption></figure>")


def test_a_drawing_in_a_drawing_is_one() -> None:
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><title>T</title><svg><clipPath id="a"/></svg></svg>'
    )
    [drawing, paragraph] = read(f"{svg}<p>After</p>")
    assert isinstance(drawing, dict)
    assert isinstance(paragraph, dict)
    assert drawing["source"] == svg
    assert paragraph["has"] == ["After"]


@pytest.mark.parametrize(
    ("body", "seen"),
    [
        ("<p>  a\n b\t c </p>", [["a b c"]]),
        ("<p>a <em> b</em> c</p>", [["a ", "em", " c"]]),
        ("<p>a&nbsp;b &lt;i&gt; &amp;amp;</p>", [["a\xa0b <i> &amp;"]]),
        ("<div>\n<p>a</p>\n<p>b</p>\n</div>", [["p", "p"]]),
        ("<p>a\n<br>\nb</p>", [["a", "br", "b"]]),
    ],
)
def test_spaces_are_as_a_browser_shows_them(body: str, seen: list[list[str]]) -> None:
    made = [
        [child if isinstance(child, str) else child["is"] for child in one["has"]]
        for one in read(body)
        if isinstance(one, dict)
    ]
    assert made == seen


def test_the_head_says_what_the_document_is() -> None:
    tree = pdf_tree.read(page("", "letter"))
    head = {name: tree[name] for name in ("title", "author", "running", "language", "layout")}
    assert head == {
        "title": "A title",
        "author": "A & B",
        "running": "Running",
        "language": "en-GB",
        "layout": "letter",
    }


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("<p>x</p>\n<script>alert(1)</script>", "line 9: the element script has no place"),
        ("<img src='x'>", "the element img has no place"),
        ("<p>x", "body is closed where p is open"),
        ("<ul><li>x</ul>", "ul is closed where li is open"),
        ("<iframe></iframe>", "iframe has no place"),
    ],
)
def test_what_has_no_place_in_print_is_refused_by_its_line(body: str, why: str) -> None:
    with pytest.raises(Unprintable, match=why):
        pdf_tree.read(page(body))


@pytest.mark.parametrize("source", ["<html><body><p>x</p>", "<html></html>", "", "<body></body><body></body>"])
def test_what_is_no_whole_page_is_refused(source: str) -> None:
    with pytest.raises(Unprintable):
        pdf_tree.read(source)


def test_headings_that_skip_a_level_are_refused_without_a_quotation() -> None:
    with pytest.raises(Unprintable, match=r"The page cannot be set: PDF/UA-1 error") as refused:
        pdf.pdf_of(page("<h3>Secret</h3>"), on=DAY)
    assert "Secret" not in str(refused.value)


@hypothesis_settings(deadline=None, max_examples=60)
@given(text=st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=80))
def test_text_is_never_markup(text: str) -> None:
    [paragraph] = read(f"<p>x{escape(text)}x</p>")
    assert isinstance(paragraph, dict)
    assert paragraph["has"] == [re.sub(" +", " ", f"x{text}x")]
    assert re.sub(r"\s", "", f"x{text}x") in re.sub(r"\s", "", text_of(f"<p>x{escape(text)}x</p>"))
