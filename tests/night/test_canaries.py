"""The detector of personal data, proved by planting: every form is found, and what is nobody's is not."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject, TextStringObject
from tests.night.canaries import Canaries

NUMBER, NAME, EMAIL = "+447700900123", "Testina O'Placeholder", "customer12@example.org"
POSTCODE, ADDRESS, IP, IP6 = "ZY12 3AB", "17 Imaginary Row", "192.0.2.17", "2001:db8::1f"
VALUES = [
    ("number", NUMBER), ("name", NAME), ("e-mail", EMAIL), ("postcode", POSTCODE), ("address", ADDRESS), ("ip", IP),
    ("ip", IP6),
]  # fmt: skip
CANARIES = Canaries(VALUES)

WRITTEN = {
    "a number in E.164": "+447700900123",
    "a number as it is dialled": "07700900123",
    "a number without its plus": "447700900123",
    "a number with spaces": "07700 900 123",
    "a number with spaces and code": "+44 7700 900123",
    "a number with an optional nought": "+44 (0)7700 900-123",
    "a number right before a date": "07700900123 2026-11-24",
    "a number in quotes of JSON": '{"called": "07700900123"}',
    "a name in capitals": "TESTINA O'PLACEHOLDER",
    "a name turned round": "O'Placeholder, Testina",
    "a name as an identifier": "testina_o_placeholder",
    "a name in HTML": "<td>Testina O&#39;Placeholder</td>",
    "a name in SQL": "'Testina O''Placeholder'",
    "a name in JSON": json.dumps("Testina O'Placeholder"),
    "an e-mail address": "to CUSTOMER12@EXAMPLE.ORG.",
    "an e-mail address in a database's message": "Key (email)=(customer12@example.org) already exists.",
    "a postcode without its space": "ZY123AB",
    "a postcode in small letters": "zy12 3ab",
    "an address in a row": "(4,17,Imaginary Row,x)",
    "an address over lines": "17 Imaginary\n   Row",
    "an IP address with a port": "192.0.2.17:443",
    "an IPv6 address": "from [2001:db8::1f]:80",
    "an IPv6 address in full": "2001:0db8:0000:0000:0000:0000:0000:001f",
}  # fmt: skip


@pytest.mark.parametrize("text", WRITTEN.values(), ids=WRITTEN)
def test_it_is_found_however_it_is_written(text: str) -> None:
    assert len(CANARIES.found_in(f"before {text} after".encode())) == 1


def pdf(*, shown: str = "", alternative: str = "", drawn: str = "") -> bytes:
    """A page that shows a text, has one for those who cannot see it, or draws a line to a place."""
    writer = PdfWriter()
    page = writer.add_blank_page(600, 800)
    font = {"/Type": "/Font", "/Subtype": "/Type1", "/BaseFont": "/Helvetica"}
    fonts = DictionaryObject(
        {NameObject("/F1"): DictionaryObject({NameObject(k): NameObject(v) for k, v in font.items()})}
    )
    page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
    page[NameObject("/Alt")] = TextStringObject(alternative)
    content = DecodedStreamObject()
    content.set_data(f"0 0 m {drawn or 0} 0 l S BT /F1 12 Tf 50 700 Td ({shown}) Tj ET".encode())
    page[NameObject("/Contents")] = writer._add_object(content)
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def test_in_a_pdf_it_is_found_where_it_is_said() -> None:
    assert {find.value for find in CANARIES.found_in(pdf(shown="call 07700 900123"))} == {NUMBER}
    assert {find.value for find in CANARIES.found_in(pdf(alternative="of 07700 900123"))} == {NUMBER}
    assert {find.value for find in CANARIES.found_in(pdf(alternative=EMAIL))} == {EMAIL}


def test_a_place_in_a_pdf_is_nobodys_number() -> None:
    """Such as that of an object 131,496 bytes from the beginning: `0000131496 00000` has in it 0131 496 0000."""
    assert CANARIES.found_in(pdf(drawn="7700900123")) == set()


def zipped(content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("sheet.xml", content)
    return file.getvalue()


ENCODINGS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "base64": base64.b64encode,
    "base64 for URLs": base64.urlsafe_b64encode,
    "base64 after a path": lambda value: b"/x/" + base64.b64encode(value).rstrip(b"="),
    "base64 of a record": lambda value: base64.b64encode(b'{"id": 7, "of": "' + value + b'"}'),
    "hexadecimal, as bytea": lambda value: b"\\x" + (b"a value: " + value).hex().encode(),
    "a URL": lambda value: quote(value, safe="").encode(),
    "a form": lambda value: quote_plus(value).encode(),
    "escapes of JSON": lambda value: "".join(
        f"\\u{ord(sign):04x}" if sign in "'@+<>&" else sign for sign in value.decode()
    ).encode(),
    "SHA-256": lambda value: hashlib.sha256(value).hexdigest().encode(),
    "SHA-256 in base64": lambda value: base64.b64encode(hashlib.sha256(value).digest()),
    "gzip": gzip.compress,
    "a workbook": zipped,
    "base64 within a workbook": lambda value: zipped(base64.b64encode(value)),
}


@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)
@pytest.mark.parametrize(("kind", "value"), VALUES)
def test_it_is_found_however_it_is_encoded(encode: Callable[[bytes], bytes], kind: str, value: str) -> None:
    encoded = encode(value.encode())
    found = CANARIES.found_in(encoded if encoded[:2] in (b"PK", b"\x1f\x8b") else b"so=" + encoded + b" and so on")
    assert {(one.kind, one.value) for one in found} == {(kind, value)}


@pytest.mark.parametrize("spelling", ["07700900123", "447700900123", "7700900123", "+447700900123"])
def test_the_bare_digest_of_any_spelling_of_a_number_is_one_of_the_number(spelling: str) -> None:
    (find,) = CANARIES.found_in(hashlib.sha256(spelling.encode()).hexdigest().encode())
    assert find.form == "bare SHA-256"


@pytest.mark.parametrize(
    "text",
    [
        "07700 900124",
        "run 7700, 900 rows in 123 ms",
        "Testina went, Placeholder stayed",
        "customer12@example.com",
        "192.0.2.170",
        "ZY12 and 3AB",
        "2026-11-28T15:00:00.770090",
        hashlib.sha256(b"nobody").hexdigest(),
        "holdfast/enforcement/predicate/statements.py:99",
    ],
)
def test_what_is_nobodys_is_not_found(text: str) -> None:
    assert CANARIES.found_in(text.encode()) == set()
