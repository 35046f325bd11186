"""What a file of emergency records looks like: read from `expectations/emergency_data/layout_*.yaml`, never from code.

A layout says how bytes become records: encoding, separator or widths, header, trailer, names of files, codes. What a
record must say is the business of the rules. Fields have the names that the rules use (`FIELDS`); a layout may leave
out some, and may carry its own, which are read past and written empty.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import string
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, Self

import pydantic
from pydantic import ConfigDict, Field

from holdfast.errors import LayoutError
from holdfast.policy.documents import read_document

FIELDS = (
    "line_no",
    "action",
    "number_e164",
    "national_number",
    "party_type",
    "title",
    "forename",
    "name",
    "bus_suffix",
    "sub_premises",
    "premises",
    "thoroughfare",
    "locality",
    "post_town",
    "postcode",
    "uprn",
    "country",
    "service_type",
    "location_independent",
    "address_source",
    "address_verified_at",
    "effective_from",
    "account_ref",
    "version_no",
)
DATE_FIELDS = frozenset({"address_verified_at", "effective_from"})
"""For the rules, days are written YYYY-MM-DD."""
HEADER_FIELDS = frozenset(
    {"profile_version", "provider", "sequence", "extract_type", "business_date", "generated_at", "previous_sequence"}
)
TRAILER_FIELDS = frozenset({"records", "inserts", "amends", "ceases", "checksum", "control_total"})
CODES = {
    "action": ("I", "A", "C"),
    "party_type": ("I", "B"),
    "country": ("ENG", "WLS", "SCT", "NIR"),
    "service_type": ("FIXED", "VOIP_FIXED", "VOIP_NOMADIC", "MOBILE"),
    "location_independent": ("Y", "N"),
    "address_source": ("INSTALL", "SELF_DECLARED", "BILLING"),
    "extract_type": ("FULL", "DELTA"),
}
"""What the rules know; a layout's `values` turn a file's own codes into these."""

KINDS = {
    **dict.fromkeys(("business_date", *sorted(DATE_FIELDS)), "date"),
    "generated_at": "timestamp",
    **dict.fromkeys(("sequence", "previous_sequence", *sorted(TRAILER_FIELDS - {"checksum"})), "number"),
}
"""Fields that are reckoned with; all others are text, or what their layout says."""
_SHA256_CHARACTERS = 64
_NAME_PARTS = {"provider": r"[A-Z0-9]{1,12}", "business_date": r"[0-9]{8}"}
_LINE_ENDS = {"crlf": b"\r\n", "lf": b"\n"}


class _Strict(pydantic.BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LayoutField(_Strict):
    """One column. `name` null: a column of the provider's own, which no rule reads.

    `length` is the most characters; in a fixed layout the width itself, filled up with spaces (numbers: zeros before).
    """

    name: str | None = None
    column: str = Field(min_length=1, description="What the column is called in messages and by the authority.")
    kind: Literal["text", "number", "date", "timestamp"] = "text"
    length: int = Field(ge=1, le=4000)
    mandatory: bool = False
    characters: str | None = Field(default=None, description="A regular expression for the whole value, if narrower.")
    constant: str | None = Field(default=None, description="The only value the column may have.")
    values: dict[str, str] = Field(default_factory=dict, description="The file's code for each code of the rules.")

    @pydantic.model_validator(mode="after")
    def _codes_are_known(self) -> Self:
        known = CODES.get(self.name or "", ())
        given = list(self.values.values())
        if unknown := sorted(set(given) - set(known)):
            raise ValueError(f"{', '.join(unknown)} is no code that the rules know for {self.name}")
        if given and sorted(given) != sorted(known):
            raise ValueError(f"`values` needs one code of the file for each of {', '.join(known)}")
        if too_long := sorted(code for code in self.values if len(code) > self.length):
            raise ValueError(f"{', '.join(too_long)} does not fit {self.length} characters")
        if self.characters is not None:
            try:
                re.compile(self.characters)
            except re.error as error:
                raise ValueError(f"`characters` is no regular expression ({error})") from error
        return self

    @pydantic.model_validator(mode="after")
    def _is_of_its_kind(self) -> Self:
        kind = KINDS.get(self.name or "", self.kind)
        if kind != self.kind:
            raise ValueError(f"{self.name} must be of the kind {kind}")
        if self.name == "checksum" and self.length < _SHA256_CHARACTERS:
            raise ValueError(f"a SHA-256 checksum needs {_SHA256_CHARACTERS} characters")
        return self

    def read(self, value: str) -> str:
        """The value in the rules' own words; codes that the layout does not list stay as they are."""
        return self.values.get(value, value)

    def written(self, value: str) -> str:
        return next((mine for mine, theirs in self.values.items() if theirs == value), value)


class Line(_Strict):
    """A kind of line: it starts with `mark`, then come the fields."""

    mark: str = Field(pattern=r"^[A-Z0-9]{1,8}$")
    fields: Annotated[tuple[LayoutField, ...], Field(min_length=1)]

    @property
    def names(self) -> list[str | None]:
        return [field.name for field in self.fields]


class Layout(_Strict):
    """One kind of file."""

    layout: str = Field(pattern=r"^[a-z][a-z0-9-]{0,40}$")
    title: str
    source: str = Field(min_length=10, description="Who defined it, and where that can be read.")
    owner: str
    file_name: str
    sequence_digits: int = Field(default=6, ge=1, le=9)
    encoding: Literal["ascii", "latin-1", "utf-8"] = "ascii"
    allowed: str = Field(default="[ -~]", description="A class of characters that may stand in a line.")
    line_end: Literal["crlf", "lf"] = "crlf"
    separator: str | None = Field(default=None, min_length=1, max_length=1, description="null: fixed widths.")
    checksum: Literal["sha256"] = "sha256"
    date_format: str = "%Y-%m-%d"
    timestamp_format: str = "%Y-%m-%dT%H:%M:%SZ"
    header: Line
    detail: Line
    trailer: Line

    @pydantic.model_validator(mode="after")
    def _fields_are_known(self) -> Self:
        for line, known, needed in (
            (self.header, HEADER_FIELDS, {"provider", "sequence", "extract_type", "business_date"}),
            (self.detail, set(FIELDS), {"action", "number_e164", "name", "premises", "thoroughfare", "postcode"}),
            (self.trailer, TRAILER_FIELDS, {"records", "checksum"}),
        ):
            names = [name for name in line.names if name is not None]
            if unknown := sorted(set(names) - set(known)):
                raise ValueError(f"{line.mark} has no field {', '.join(unknown)}; there are {', '.join(sorted(known))}")
            if missing := sorted(needed - set(names)):
                raise ValueError(f"{line.mark} needs {', '.join(missing)}")
            columns = [field.column for field in line.fields]
            if len(names) != len(set(names)) or len(columns) != len(set(columns)):
                raise ValueError(f"{line.mark} names a field or a column twice")
        marks = {self.header.mark, self.detail.mark, self.trailer.mark}
        if len(marks) != 3:
            raise ValueError("header, detail and trailer need different marks")
        sequence = next(field for field in self.header.fields if field.name == "sequence")
        if sequence.length < self.sequence_digits:
            raise ValueError(f"{sequence.column} is shorter than the {self.sequence_digits} digits of the file's name")
        if self.is_fixed and len({len(mark) for mark in marks}) != 1:
            raise ValueError("in a fixed layout all marks are equally long")
        if self.is_fixed and self.encoding == "utf-8":
            raise ValueError("a fixed layout needs an encoding of one byte a character")
        return self

    @pydantic.field_validator("allowed")
    @classmethod
    def _allowed_is_a_class(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"`allowed` is no regular expression ({error})") from error
        if re.fullmatch(value, "\n") or re.fullmatch(value, "\x00"):
            raise ValueError("`allowed` must not take in line ends or NUL")
        return value

    @pydantic.field_validator("separator")
    @classmethod
    def _separator_is_no_value(cls, value: str | None) -> str | None:
        if value is not None and (value.isalnum() or value in "\"' \r\n\0+-"):
            raise ValueError("`separator` must be a character that no value needs, such as , ; | or a tab")
        return value

    @pydantic.field_validator("date_format")
    @classmethod
    def _date_has_its_parts(cls, value: str) -> str:
        if sorted(re.findall("%.", value)) != ["%Y", "%d", "%m"] or "%%" in value:
            raise ValueError("`date_format` needs %Y, %m and %d, once each, and no other %")
        return value

    @pydantic.field_validator("timestamp_format")
    @classmethod
    def _time_comes_back(cls, value: str) -> str:
        example = dt.datetime(2026, 11, 24, 13, 5, 9, tzinfo=dt.UTC)
        try:
            read = dt.datetime.strptime(example.strftime(value), value).replace(tzinfo=dt.UTC)
        except ValueError:
            read = None
        if read is None or read.replace(second=0) != example.replace(second=0):
            raise ValueError("`timestamp_format` must say day, hour and minute, such as %Y-%m-%dT%H:%M:%SZ")
        return value

    @pydantic.field_validator("file_name")
    @classmethod
    def _name_has_its_parts(cls, value: str) -> str:
        parts = {name for _, name, _, _ in string.Formatter().parse(value) if name is not None}
        if not {"provider", "sequence"} <= parts <= {"provider", "sequence", "business_date"}:
            raise ValueError("`file_name` needs {provider} and {sequence}, and may have {business_date}")
        return value

    @property
    def is_fixed(self) -> bool:
        return self.separator is None

    @property
    def width(self) -> int:
        """Characters of a detail line in fixed widths."""
        return len(self.detail.mark) + sum(field.length for field in self.detail.fields)

    @property
    def end(self) -> bytes:
        return _LINE_ENDS[self.line_end]

    @cached_property
    def allowed_bytes(self) -> bytes:
        """Every byte that may stand in a line; in UTF-8 the parts of longer characters are looked at decoded."""
        if self.encoding == "utf-8":
            low = bytes(n for n in range(128) if re.fullmatch(self.allowed, chr(n)))
            return low + bytes(range(128, 256))
        single = (bytes([n]) for n in range(256))
        return b"".join(
            one for one in single if (char := _decoded(one, self.encoding)) and re.fullmatch(self.allowed, char)
        )

    @cached_property
    def name_pattern(self) -> re.Pattern[str]:
        """The names of files, with the groups provider, sequence and business_date."""
        parts = {**_NAME_PARTS, "sequence": rf"[0-9]{{{self.sequence_digits}}}"}
        pattern = "".join(
            re.escape(text) + (f"(?P<{name}>{parts[name]})" if name else "")
            for text, name, _, _ in string.Formatter().parse(self.file_name)
        )
        return re.compile(pattern)

    def name_of(self, provider: str, sequence: int, business_date: dt.date) -> str:
        return self.file_name.format(
            provider=provider, sequence=f"{sequence:0{self.sequence_digits}d}", business_date=f"{business_date:%Y%m%d}"
        )


def load(path: Path) -> Layout:
    """One layout. Raises LayoutError with the place of the first thing that is wrong."""
    try:
        reading = read_document("layout", str(path), path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise LayoutError(f"{path} cannot be read ({type(error).__name__}).", fix="restore the file.") from error
    if reading.problems:
        raise LayoutError(str(reading.problems[0]), fix="correct that line.")
    try:
        return Layout.model_validate_json(json.dumps(reading.content), strict=True)
    except pydantic.ValidationError as error:
        first = error.errors(include_url=False)[0]
        where: tuple[str, ...] = ("layout",)
        for part in first["loc"]:
            where = (*where, str(part)) if (*where, str(part)) in reading.lines else where
        raise LayoutError(
            f"{path}:{reading.lines.get(where, 1)} {'.'.join(map(str, first['loc']))}: "
            f"{first['msg'].removeprefix('Value error, ')}.",
            fix="see layout_ng999_v1.yaml for what a layout says.",
            problems=error.error_count(),
        ) from None


def load_all(folder: Path) -> dict[str, Layout]:
    """The layouts of a folder by their id. Raises LayoutError if one is wrong or two have the same id."""
    found: dict[str, Layout] = {}
    for path in sorted(folder.glob("layout_*.yaml")):
        layout = load(path)
        if layout.layout in found:
            raise LayoutError(f"{path} has the id of another layout.", fix="give it an id of its own.")
        found[layout.layout] = layout
    if not found:
        raise LayoutError(f"There is no layout_*.yaml in {folder}.", fix="restore the shipped ones.")
    return found


def of_file_name(layouts: dict[str, Layout], name: str) -> Iterator[Layout]:
    """The layouts whose files are called like this."""
    return (layout for layout in layouts.values() if layout.name_pattern.fullmatch(name))


def _decoded(byte: bytes, encoding: str) -> str | None:
    try:
        return byte.decode(encoding)
    except UnicodeDecodeError:
        return None
