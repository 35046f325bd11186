"""A page as its reader sees it: its tables, with their sums, and its text."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "br", "img", "link", "hr"}


@dataclass
class Table:
    """Cells as text. Rows that explain the row above (one cell over all columns) are left out."""

    head: list[str] = field(default_factory=list)
    body: list[list[str]] = field(default_factory=list)
    foot: list[str] = field(default_factory=list)

    def column(self, number: int) -> list[str]:
        return [row[number] for row in self.body]


class Page(HTMLParser):
    """Parse a whole page. ValueError if a tag is not closed where it should be."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tables: list[Table] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self._open: list[str] = []
        self._part = ""
        self._row: list[str] = []
        self._spans = False
        self.feed(text)
        self.close()
        if self._open:
            raise ValueError(f"not closed: {self._open}")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.add(tag)
        self.attributes.update(given)
        if given.get("id"):
            self.ids.append(given["id"] or "")
        if tag == "a":
            self.links.append(given.get("href") or "")
        if tag not in VOID:
            self._open.append(tag)
        if tag == "table":
            self.tables.append(Table())
        elif tag in ("thead", "tbody", "tfoot"):
            self._part = tag
        elif tag == "tr":
            self._row, self._spans = [], False
        elif tag in ("td", "th"):
            self._row.append("")
            self._spans = self._spans or "colspan" in given

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An SVG element without content."""
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            raise ValueError(f"</{tag}> closes nothing")
        if tag == "tr" and not self._spans:
            row = [" ".join(cell.split()) for cell in self._row]
            table = self.tables[-1]
            if self._part == "tbody":
                table.body.append(row)
            elif self._part == "tfoot":
                table.foot = row
            else:
                table.head = row

    def handle_data(self, data: str) -> None:
        if "style" in self._open:
            return
        self.text += data
        if self._row and {"td", "th"} & set(self._open):
            self._row[-1] += data

    def table(self, heading: str, first: str = "Dataset and rule") -> Table:
        """The table that has a column with this heading, and whose first column has that."""
        return next(table for table in self.tables if heading in table.head and table.head[0] == first)


def wrong_sums(page: Page) -> list[str]:
    """Every sum of a table that is not the sum of its column, and every row that is short of a cell."""
    found = []
    for table in page.tables:
        found += [f"{row}: not {len(table.head)} cells" for row in table.body if len(row) != len(table.head)]
        for number, shown in enumerate(table.foot[1:], start=1):
            if not shown or shown == "none":
                continue
            cells = [cell.replace(",", "") for cell in table.column(number)]
            expected = "not counted" if "not counted" in cells else f"{sum(int(cell) for cell in cells):,}"
            if shown != expected:
                found.append(f"{table.head[number]}: {shown} is not {expected}")
    return found
