"""Charts: the same bytes each time, one alphabet of ids for each, and words for whoever cannot see them."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from holdfast.reports import charts
from holdfast.reports.charts import Line, Series

SVG = "{http://www.w3.org/2000/svg}"
LABELS = ["Call detail records", "A <b> & $x^2$", "Nothing"]
SERIES = [
    Series("done", [900, 1, 0], "#1d4b57"),
    Series("held", [100, 2, 0], "#8fb3bb"),
    Series("waiting", [0, 3, 0], "#e3d3a4", "...."),
]


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("matplotlib")
    charts.keep_cache_in(folder)
    return folder


def _drawn(name: str = "one", *, as_shares: bool = True) -> str:
    return charts.stacked_bars(name, "What became of them", "A bar each.", LABELS, SERIES, as_shares=as_shares)


def test_the_same_figures_make_the_same_bytes() -> None:
    assert _drawn() == _drawn()


@pytest.mark.parametrize("as_shares", [True, False])
def test_nothing_of_the_day_or_of_the_program_is_in_it(as_shares: bool) -> None:
    drawn = _drawn(as_shares=as_shares)
    assert not re.search(r"metadata|<style|matplotlib|\d{4}-\d\d-\d\d|DOCTYPE|<\?xml", drawn)
    assert re.findall(r"https?://[^\"' ]+", drawn.replace("http://www.w3.org/2000/svg", "")) in (
        [],
        ["http://www.w3.org/1999/xlink"],
    )


def test_it_is_told_in_words() -> None:
    root = ElementTree.fromstring(_drawn())
    assert root.get("role") == "img"
    named = [root.find(f".//*[@id='{name}']") for name in (root.get("aria-labelledby") or "").split()]
    texts = [element.text if element is not None else None for element in named]
    assert texts[0] == "What became of them"
    assert texts[1] == (
        "A bar each. In rows. Call detail records: done 900, held 100. "
        "A <b> & $x^2$: done 1, held 2, waiting 3. Nothing: none."
    )


def test_labels_and_sums_are_text() -> None:
    texts = [element.text for element in ElementTree.fromstring(_drawn()).iter(f"{SVG}text")]
    assert [text for text in texts if text in LABELS] == LABELS
    assert {"1,000", "6", "0", "done", "held", "waiting"} <= set(texts)


def test_two_charts_share_no_id_and_each_finds_its_own() -> None:
    one, two = (ElementTree.fromstring(_drawn(name)) for name in ("one", "two"))
    ids = [[element.get("id") for element in root.iter() if element.get("id")] for root in (one, two)]
    assert len(ids[0]) == len(set(ids[0]))
    assert not set(ids[0]) & set(ids[1])
    referred = re.findall(r"url\(#([^)]+)\)|href=\"#([^\"]+)\"", _drawn("one"))
    assert referred
    assert {name for pair in referred for name in pair if name} <= set(ids[0])


def test_pieces_differ_in_grey() -> None:
    """Without colour, neighbours are told apart by their lightness or their pattern."""
    drawn = _drawn()
    assert "pattern" in drawn
    lightness = [int(one.colour[1:3], 16) * 0.3 + int(one.colour[3:5], 16) * 0.59 for one in SERIES]
    assert abs(lightness[0] - lightness[1]) > 40


DAYS = [dt.date(2026, 8, 27), dt.date(2026, 11, 23), dt.date(2026, 11, 24)]
LINES = [Line("complete", [0.93, None, 0.997], "#2f6f73"), Line("checked", [None] * 3, "#a23b3b", "--")]


def test_a_line_ends_before_days_that_were_not_measured() -> None:
    assert charts._with_breaks([(1, 0.5), (2, 0.6), (9, 0.7)]) == [(1, 0.5), (2, 0.6), (8, None), (9, 0.7)]
    assert charts._with_breaks([]) == []


def test_shares_by_day_are_told_by_their_first_and_last_value() -> None:
    drawn = charts.shares_by_day("trend", "Day by day", "The last days.", DAYS, LINES)
    assert drawn == charts.shares_by_day("trend", "Day by day", "The last days.", DAYS, LINES)
    root = ElementTree.fromstring(drawn)
    assert root.findtext(f"{SVG}desc") == (
        "The last days. complete: 93.0% on 27 Aug 2026, 99.7% on 24 Nov 2026. checked: not measured."
    )
    texts = {element.text for element in root.iter(f"{SVG}text")}
    assert {"complete", "checked", "27 Aug 2026", "24 Nov 2026", "100%"} <= texts
    assert not re.search(r"metadata|<style|matplotlib", drawn)


def test_a_number_that_is_hidden_is_not_told_as_nought() -> None:
    series = [charts.Series("number", [12, 0, 0], "#2f6f73")]
    drawn = charts.stacked_bars(
        "c", "Title", "What.", ["a", "b", "c"], series, as_shares=False, unit="numbers", hidden=[1]
    )
    assert "a: number 12. b: hidden. c: none." in drawn
    assert re.findall(r">([0-9*]+)</text>", drawn) == ["12", "*", "0"], "at the ends of the bars"
