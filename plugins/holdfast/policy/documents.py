"""One YAML document as plain values, with the line of every entry.

YAML is read node by node, so that each value keeps its line and every duplicate key is found, not only the first.
What YAML can do beyond plain data (aliases, merge keys, tags) is refused: one edit must change one place. A date
stays text here; the models read it.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from holdfast.policy.problems import Check, EntryPath, Problem

_PLAIN = "tag:yaml.org,2002:"
_AS_TEXT = frozenset({f"{_PLAIN}str", f"{_PLAIN}timestamp"})
_AS_VALUE = frozenset({f"{_PLAIN}{kind}" for kind in ("null", "bool", "int", "float")})
_CONSTRUCTOR = YAML(typ="safe", pure=True).constructor


@dataclass
class Reading:
    """What was found in one file: `content` (None where it is no YAML at all), lines and problems."""

    document: str
    file: str
    content: object = None
    lines: dict[EntryPath, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def refuse(self, check: Check, line: int, path: EntryPath, what: str, fix: str) -> None:
        self.problems.append(Problem(self.file, line, ".".join(path[1:]), check, what, fix))


@functools.lru_cache(maxsize=32)
def read_document(document: str, file: str, text: str) -> Reading:
    """Read one document; every finding is in the result, none is raised.

    Each step reads the policy anew, and a tenth of a second goes into its text: the same text is read once in a
    process, so the result is for everybody and nobody may change it.
    """
    reading = Reading(document, file)
    try:
        _refuse_aliases(reading, text)
        node = None if reading.problems else YAML(typ="safe", pure=True).compose(text)
    except YAMLError as error:
        line, why = _why(error)
        reading.refuse(
            Check.MALFORMED, line, (document,), f"this is not YAML: {why}.", "correct the indentation or punctuation."
        )
        return reading
    if node is not None:
        reading.content = _value(reading, node, (document,))
    return reading


def _why(error: YAMLError) -> tuple[int, str]:
    """The line and one sentence of an error that quotes the file at length."""
    if isinstance(error, MarkedYAMLError) and error.problem_mark is not None:
        return error.problem_mark.line + 1, " ".join(part for part in (error.context, error.problem) if part)
    return 1, str(error).splitlines()[0]


def _refuse_aliases(reading: Reading, text: str) -> None:
    if "&" not in text:  # no anchor, so no alias; and reading twice costs as much again
        return
    for event in YAML(typ="safe", pure=True).parse(text):
        if isinstance(event, AliasEvent):
            reading.refuse(
                Check.ALIAS,
                event.start_mark.line + 1,
                (reading.document,),
                f"*{event.anchor} repeats a value that is written elsewhere.",
                "write the value out, so that one edit changes one place.",
            )


def _value(reading: Reading, node: Node, path: EntryPath) -> object:
    reading.lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, MappingNode):
        return _mapping(reading, node, path)
    if isinstance(node, SequenceNode):
        return [_value(reading, item, (*path, str(i))) for i, item in enumerate(node.value)]
    return _scalar(reading, node, path)


def _mapping(reading: Reading, node: MappingNode, path: EntryPath) -> dict[str, object]:
    values: dict[str, object] = {}
    for key_node, value_node in node.value:
        key = str(key_node.value)
        line = key_node.start_mark.line + 1
        here = (*path, key)
        if key in values:
            reading.refuse(
                Check.DUPLICATE_KEY,
                line,
                here,
                f"{key!r} stands here for the second time (first in line {reading.lines[here]}).",
                "keep one of the two.",
            )
            continue
        reading.lines[here] = line
        values[key] = _value(reading, value_node, here)
    return values


def _scalar(reading: Reading, node: Node, path: EntryPath) -> object:
    if node.tag in _AS_TEXT:
        return node.value
    if node.tag in _AS_VALUE:
        return _CONSTRUCTOR.construct_object(node)
    reading.refuse(
        Check.MALFORMED,
        node.start_mark.line + 1,
        path,
        f"{node.tag} is not plain text, a number, a date, true or false.",
        "write a plain value, in quotes if it is text.",
    )
    return None
