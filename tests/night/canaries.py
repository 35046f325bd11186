"""Finds the data of invented people wherever it was written, in whatever form.

Values and texts are cut into the same words, so that case, quoting, and how a number or a postcode is spaced make no
difference. Whatever looks like an encoding is undone first, and looked through again.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import hashlib
import html
import io
import ipaddress
import re
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import unquote_plus

from pypdf import PdfReader
from pypdf.generic import ArrayObject, DictionaryObject, TextStringObject

_WORD = re.compile(r"[0-9a-z]+")
_NUMBER = re.compile(r"\d(?:[ ().\-/\u00a0]{0,3}\d){8,}")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{10,}={0,2}")
_HEX = re.compile(rb"(?:[0-9a-fA-F]{2}){7,}")
_READABLE = bytes(range(32, 127)) + b"\r\n\t"
_DEEPEST = 3  # an encoding within a file within an archive


@dataclass(frozen=True)
class Find:
    """One thing that should not be there: which value of what kind, and in which form."""

    kind: str
    value: str
    form: str


class Canaries:
    """What to look for. `values` are pairs of a kind (`name`, `number`, `ip`, ...) and a value."""

    def __init__(self, values: Iterable[tuple[str, str]]) -> None:
        self._phrases: dict[tuple[str, ...], list[tuple[tuple[str, ...], Find]]] = defaultdict(list)
        self._numbers: dict[str, Find] = {}
        self._digests: dict[bytes, Find] = {}
        self.kinds: dict[str, int] = defaultdict(int)
        for kind, value in sorted(set(values)):
            self.kinds[kind] += 1
            self._add(kind, value)

    def _add(self, kind: str, value: str) -> None:
        spellings = set(_spellings(kind, value))
        if kind == "number":
            self._numbers[_significant(value)] = Find(kind, value, "digits")
        else:
            for spelling in spellings:
                words = tuple(_WORD.findall(spelling.lower()))
                self._phrases[words[:2]].append((words, Find(kind, value, "words")))
        for spelling in spellings:
            self._digests[hashlib.sha256(spelling.encode()).digest()] = Find(kind, value, "bare SHA-256")

    def found_in(self, content: bytes) -> set[Find]:
        """Everything of these that is in the content of a file, or in a text."""
        return set(self._look(content, 0))

    def _look(self, content: bytes, depth: int) -> Iterator[Find]:
        if depth > _DEEPEST:
            return
        for part in _unpacked(content):
            yield from self._look(part, depth + 1)
        for text in _texts(content):
            yield from self._in_words(text)
            if not content.startswith(b"%PDF"):  # places of objects and widths of letters are digits of nobody's
                yield from self._in_digits(text)
        for form, decoded in _decoded(content):
            if decoded in self._digests:
                yield self._digests[decoded]
            if _is_text(decoded):
                for find in self._look(decoded, depth + 1):
                    yield Find(find.kind, find.value, f"{form} of {find.form}")

    def _in_words(self, text: str) -> Iterator[Find]:
        words = _WORD.findall(text.lower())
        for place, word in enumerate(words):
            for key in ((word,), tuple(words[place : place + 2])):
                for phrase, find in self._phrases.get(key, ()):
                    if tuple(words[place : place + len(phrase)]) == phrase:
                        yield find

    def _in_digits(self, text: str) -> Iterator[Find]:
        for run in _NUMBER.finditer(text):
            digits = "".join(filter(str.isdigit, run.group()))
            for end in range(9, len(digits) + 1):
                for length in (9, 10):
                    if find := self._numbers.get(digits[end - length : end] if end >= length else ""):
                        yield find


def _spellings(kind: str, value: str) -> Iterator[str]:
    """The ways in which people and programs write it."""
    yield value
    match kind:
        case "number":
            digits = _significant(value)
            yield from (f"+44{digits}", f"44{digits}", f"0{digits}", digits, f"0{digits[:4]} {digits[4:]}")
        case "name":
            yield value.upper()
            first, _, last = value.partition(" ")
            yield f"{last} {first}"
        case "postcode":
            yield value.replace(" ", "")
            yield value.lower()
        case "ip" if ":" in value:
            yield ipaddress.ip_address(value).exploded
        case "e-mail":
            yield value.upper()


def _significant(number: str) -> str:
    """A UK number without its prefix."""
    digits = "".join(filter(str.isdigit, number))
    return digits.removeprefix("44").removeprefix("0")


def _texts(content: bytes) -> Iterator[str]:
    """The content as text: as it stands, and with the escapes of HTML, JSON and URLs undone."""
    text = content.decode("utf-8", errors="replace")
    yield text
    if "&" in text and (plain := html.unescape(text)) != text:
        yield plain
    if "%" in text and (plain := unquote_plus(text)) != text:
        yield plain
    if "\\u00" in text:
        yield re.sub(r"\\u00([0-9a-fA-F]{2})", lambda found: chr(int(found[1], 16)), text)


def _decoded(content: bytes) -> Iterator[tuple[str, bytes]]:
    """What every run of signs that could be base64 or hexadecimal stands for, wherever in the run it begins."""
    for run in _BASE64.finditer(content):
        signs = run.group().rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
        for begin in range(4):
            part = signs[begin:]
            with suppress(binascii.Error):
                yield "base64", base64.b64decode(part[: len(part) - (len(part) % 4 == 1)] + b"==")
    for run in _HEX.finditer(content):
        yield "hexadecimal", bytes.fromhex(run.group().decode())


def _is_text(decoded: bytes) -> bool:
    """Whether most of it can be read; random bytes cannot."""
    return len(decoded.translate(None, _READABLE)) < 0.2 * len(decoded)


def _unpacked(content: bytes) -> Iterator[bytes]:
    """What is inside an archive, a workbook or a PDF."""
    if content.startswith(b"PK\x03\x04"):
        with suppress(zipfile.BadZipFile), zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in archive.namelist():
                yield name.encode()
                yield archive.read(name)
    elif content.startswith(b"\x1f\x8b"):
        with suppress(OSError, EOFError, zlib.error):
            yield gzip.decompress(content)
    elif content.startswith(b"%PDF"):
        yield _text_of_pdf(content)


def _text_of_pdf(content: bytes) -> bytes:
    reader = PdfReader(io.BytesIO(content))
    texts = [page.extract_text() for page in reader.pages]
    objects = (reader.get_object(number) for number in range(1, reader.trailer["/Size"]))
    strings = [text for one in objects for text in _strings_of_pdf(one)]
    return "\n".join([*texts, *strings, *map(str, (reader.metadata or {}).values())]).encode()


def _strings_of_pdf(thing: object) -> Iterator[str]:
    """What an object of a PDF says in words: alternative texts, titles of links, and the like."""
    if isinstance(thing, TextStringObject):
        yield str(thing)
    elif isinstance(thing, DictionaryObject):
        for one in thing.values():
            yield from _strings_of_pdf(one)
    elif isinstance(thing, ArrayObject):
        for one in thing:
            yield from _strings_of_pdf(one)
