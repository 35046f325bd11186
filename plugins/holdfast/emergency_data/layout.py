"""What a file of emergency records looks like: read from `expectations/emergency_data/layout_*.yaml`, never from code.

A layout says how bytes become records: encoding, separator or widths, header, trailer, names of files, codes. What a
record must say is the business of the rules. Fields have the names that the rules use (`FIELDS`); a layout may leave
out some, and may carry its own, which are read past and written empty.
"""

from __future__ import annotations

import datetime as dt
import re
import string
from functools import cached_property
from typing import Annotated, Literal, Self

import pydantic
from pydantic import ConfigDict, Field

from holdfast.emergency_data.fields import CODES, FIELDS, HEADER_FIELDS, KINDS, TRAILER_FIELDS

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


def _decoded(byte: bytes, encoding: str) -> str | None:
    try:
        return byte.decode(encoding)
    except UnicodeDecodeError:
        return None
