"""An HTML page of ours, read into the tree that page.typ sets.

Only elements that have a place in print are known; another is refused with its line, because a page with a part missing
would look complete. Tags must be closed, as our templates do.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable
from html.parser import HTMLParser
from typing import Any, TypeAlias
from xml.etree import ElementTree

from holdfast.errors import Unprintable

Node: TypeAlias = dict[str, Any]
"""An element: `is` its name, `class` its classes, `has` what is in it; a text is a string."""

_BLOCKS = frozenset(
    (
        *("html", "body", "header", "main", "footer", "section", "div", "nav", "address", "h1", "h2", "h3", "p"),
        *("ul", "ol", "li", "dl", "dt", "dd", "figure", "figcaption", "svg"),
        *("table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td"),
    )
)
_INLINE = frozenset(("a", "strong", "em", "code", "small", "span"))
_HEAD = frozenset(("head", "title", "style"))
_VOID = frozenset(("meta", "br"))
_SPACE = re.compile(r"[ \t\r\n\f]+")  # a space that must not break is kept
_SHORT = 18  # a column of cells up to so many signs is as wide as they are; longer ones share what is left
_SVG = "{http://www.w3.org/2000/svg}"


def read(page: str) -> Node:
    """The page: `title`, `author` and `running` of its head, its `language` and `layout` (the body's class), and `has`.

    Raises Unprintable, with the line, for an element that has no place in print or is not closed.
    """
    reader = _Reader(page)
    reader.feed(page)
    reader.close()
    if len(reader.open) != 1:
        raise reader.refusal(f"the element {reader.open[-1]['is']} is not closed")
    bodies = [node for node in _walk(reader.root) if node["is"] == "body"]
    if len(bodies) != 1:
        raise reader.refusal(f"the page has {len(bodies)} bodies")
    return {
        "title": _words(_only(reader.root, "title")),
        "author": reader.meta.get("author", ""),
        "running": reader.meta.get("running", ""),
        "language": reader.language,
        "layout": " ".join(bodies[0]["class"]),
        "has": _content(bodies[0]["has"]),
    }


class _Reader(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.root: Node = {"is": "root", "class": [], "has": []}
        self.open = [self.root]
        self.meta: dict[str, str] = {}
        self.language = ""
        self._lines = [0, *(found.end() for found in re.finditer("\n", page))]
        self._drawing: tuple[int, int] | None = None  # where the outermost svg begins, and how many are open

    def refusal(self, what: str) -> Unprintable:
        line = self.getpos()[0]
        return Unprintable(
            f"The page cannot be set, line {line}: {what}.",
            fix="use the elements that plugins/holdfast/reports/pdf_tree.py lists, each with its closing tag.",
            line=line,
        )

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if self._drawing is not None:
            start, depth = self._drawing
            self._drawing = (start, depth + (tag == "svg"))
            return
        if tag not in _BLOCKS | _INLINE | _HEAD | _VOID:
            raise self.refusal(f"the element {tag} has no place in print")
        if tag == "meta":
            self.meta[given.get("name", "")] = given.get("content", "")
            return
        if tag == "html":
            self.language = given.get("lang", "")
        node: Node = {"is": tag, "class": given.get("class", "").split(), "has": []}
        for name in ("colspan", "rowspan"):
            if name in given:
                node[name] = int(given[name])
        self.open[-1]["has"].append(node)
        if tag == "svg":
            self._drawing = (self._offset(), 1)
        if tag not in _VOID:
            self.open.append(node)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._drawing is None:
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if self._drawing is not None:
            start, depth = self._drawing
            self._drawing = (start, depth - (tag == "svg"))
            if self._drawing[1]:
                return
            self._drawing = None
            # As it stands in the page: this parser puts names into lower case, which SVG does not allow.
            self.open[-1]["source"] = self.rawdata[start : self._offset()] + "</svg>"
        if self.open[-1]["is"] != tag:
            raise self.refusal(f"{tag} is closed where {self.open[-1]['is']} is open")
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if self._drawing is None:
            self.open[-1]["has"].append(data)

    def _offset(self) -> int:
        line, column = self.getpos()
        return self._lines[line - 1] + column


def _content(children: Iterable[str | Node]) -> list[str | Node]:
    """What is in an element, with spaces as a browser shows them and each element as page.typ wants it."""
    made: list[str | Node] = []
    pieces = list(children)
    for place, child in enumerate(pieces):
        if isinstance(child, dict):
            made.append(_element(child))
            continue
        text = _SPACE.sub(" ", child)
        if _breaks(pieces, place - 1):
            text = text.lstrip(" ")
        if _breaks(pieces, place + 1):
            text = text.rstrip(" ")
        if text:
            made.append(text)
    return made


def _breaks(pieces: list[str | Node], place: int) -> bool:
    """Does a line end here? At either end of an element, and beside an element that is no part of a line."""
    if not 0 <= place < len(pieces):
        return True
    piece = pieces[place]
    return isinstance(piece, dict) and piece["is"] not in _INLINE


def _element(node: Node) -> Node:
    kind = {"is": node["is"], "class": node["class"]}
    match node["is"]:
        case "table":
            return kind | _table(node)
        case "dl":
            terms = [child for child in _walk(node) if child["is"] in ("dt", "dd")]
            return kind | {"has": [{"is": one["is"], "class": [], "has": _content(one["has"])} for one in terms]}
        case "svg":
            return kind | {"source": node["source"], "words": _words_of_drawing(node["source"])}
        case "a" | "span":
            return kind | {"is": "span", "has": _inner(node)}
        case _:
            return kind | {"has": _content(node["has"]) if node["is"] in _BLOCKS else _inner(node)}


def _inner(node: Node) -> list[str | Node]:
    """What is in a part of a line: a space at its end is a space."""
    return [_SPACE.sub(" ", one) if isinstance(one, str) else _element(one) for one in node["has"]]


def _table(node: Node) -> Node:
    """A table as caption, widths of columns, and the cells of head, body and foot one after another."""
    captions = [one for one in _walk(node) if one["is"] == "caption"]
    parts: dict[str, list[Node]] = {"thead": [], "tbody": [], "tfoot": []}
    longest: list[int] = []
    for part in (one for one in node["has"] if isinstance(one, dict) and one["is"] in parts):
        for row in (one for one in part["has"] if isinstance(one, dict)):
            cells = [_cell(one) for one in row["has"] if isinstance(one, dict)]
            longest += [0] * (sum(one["colspan"] for one in cells) - len(longest))
            if all(one["colspan"] == one["rowspan"] == 1 for one in cells):
                for place, cell in enumerate(cells):
                    longest[place] = max(longest[place], _length(cell))
            parts[part["is"]] += cells
    return {
        "caption": _content(captions[0]["has"]) if captions else [],
        "columns": [math.sqrt(length) if length > _SHORT else 0 for length in longest],
        "head": parts["thead"],
        "body": parts["tbody"],
        "foot": parts["tfoot"],
    }


def _length(cell: Node) -> int:
    """Signs of text in a cell, however deep."""
    return sum(len(one) if isinstance(one, str) else _length(one) for one in cell.get("has", ()))


def _cell(node: Node) -> Node:
    spans = {name: node.get(name, 1) for name in ("colspan", "rowspan")}
    return {"is": node["is"], "class": node["class"], "has": _content(node["has"]), **spans}


def _words_of_drawing(source: str) -> str:
    """What a drawing shows, in words: its title and description."""
    root = ElementTree.fromstring(source)
    words = [root.findtext(f"{_SVG}{name}") or "" for name in ("title", "desc")]
    return " ".join(one.strip() for one in words if one.strip())


def _walk(node: Node) -> Iterable[Node]:
    inside = [one for one in node["has"] if isinstance(one, dict)]
    return itertools.chain(inside, *(_walk(one) for one in inside))


def _only(root: Node, name: str) -> Node:
    return next((node for node in _walk(root) if node["is"] == name), {"has": []})


def _words(node: Node) -> str:
    return _SPACE.sub(" ", "".join(one for one in node["has"] if isinstance(one, str))).strip()
