"""Plain data comes back as it was written, and every value knows its line."""

from __future__ import annotations

import io

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.representer import SafeRepresenter

from holdfast.policy.documents import read_document
from holdfast.policy.problems import Check

_KEYS = st.text("abcdefgh_", min_size=1, max_size=8)
# Without control characters and the like, which ruamel writes in a way that reads back as a space.
_TEXTS = st.text(st.characters(categories=["L", "N", "P", "S"], include_characters=" \n"), max_size=12)
_SCALARS = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | _TEXTS
_DATA = st.recursive(
    _SCALARS, lambda part: st.lists(part, max_size=4) | st.dictionaries(_KEYS, part, max_size=4), max_leaves=12
)


class _Writer(SafeRepresenter):
    """Quotes what does not begin like a word: ruamel writes ?0 and :0 bare in brackets too, and cannot read them."""

    def ignore_aliases(self, data: object) -> bool:
        return True

    def text(self, text: str) -> ScalarNode:
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=None if text[:1].isalnum() else '"')


_Writer.add_representer(str, _Writer.text)


@settings(deadline=None, max_examples=60)
@given(data=st.dictionaries(_KEYS, _DATA, min_size=1, max_size=5))
@example(data={"a": {"b": ":0"}, "c": ["?0", "- a", "~", "=", "%x"]})
@example(data={"a": ["0:0", "1:30", "1_0", "0o7", ".5", "y", "<<", "&a", "a: b", "a #b"]})
def test_what_is_written_is_read(data: dict[str, object]) -> None:
    stream = io.StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.Representer = _Writer
    yaml.dump(data, stream)
    reading = read_document("data_map", "a.yaml", stream.getvalue())
    assert reading.problems == []
    assert reading.content == data
    lines = stream.getvalue().splitlines()
    for key in data:
        assert key in lines[reading.lines["data_map", key] - 1]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2026-11-24", "2026-11-24"),  # a date stays text: the model reads it
        ("2026-02-30", "2026-02-30"),
        ("yes", "yes"),
        ("no", "no"),
        ("true", True),
        ("0.05", 0.05),
        ("03-31", "03-31"),
        ("'null'", "null"),
        ("null", None),
        ("~", None),
        ("1e3", 1000.0),
    ],
)
def test_scalars_are_what_yaml_1_2_says_and_dates_are_text(text: str, value: object) -> None:
    assert read_document("holds", "a.yaml", f"x: {text}\n").content == {"x": value}


@pytest.mark.parametrize("text", ["a: {b: :0}\n", "a: {b: ?0}\n", "a: {b: : 0}\n"])
def test_text_that_looks_like_punctuation_is_refused_unless_quoted_in_brackets(text: str) -> None:
    reading = read_document("holds", "a.yaml", text)
    assert [p.rule for p in reading.problems] == [Check.MALFORMED]
    assert reading.content is None


def test_an_anchor_that_nothing_refers_to_is_no_alias() -> None:
    reading = read_document("holds", "a.yaml", "x: &name 1\n")
    assert reading.problems == []
    assert reading.content == {"x": 1}


@pytest.mark.parametrize("text", ["a: &x [*x]\n", "a: &x 1\nb: {<<: *x}\n"])
def test_an_alias_is_refused_before_it_is_followed(text: str) -> None:
    reading = read_document("holds", "a.yaml", text)
    assert [p.rule for p in reading.problems] == [Check.ALIAS]
    assert reading.content is None
