"""Extracts of 999 emergency data for a provider that does not exist: good ones of any size, and each kind of bad one.

People, streets and towns are invented. Numbers are from Ofcom's ranges for drama; a benchmark that needs more uses the
rest of the area code 01632, which belongs to no place and has no subscriber.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from holdfast.emergency_data.fields import FIELDS
from holdfast.emergency_data.layout import Layout, LayoutField
from holdfast.emergency_data.writing import Head, Totals, WrittenFile, write

Record = Mapping[str, str]

_RANGES = (
    "1632960", "2079460", "1134960", "1144960", "1154960", "1164960", "1174960", "1184960",
    "1214960", "1314960", "1414960", "1514960", "1614960", "1914980", "2896496", "2920180",
)  # fmt: skip
DRAMA_NUMBERS = 1000 * len(_RANGES)
"""So many geographic numbers belong to nobody."""
NUMBERS_WITHOUT_AREA = 1_000_000

_TITLES = ("MX", "DR", "MS", "MR")
_FORENAMES = ("TESTINA", "EXEMPLAR", "SAMPLIA", "FICTUS", "PRETENDO", "IMAGINA", "FABULA", "SPECIMENA")
_SURNAMES = ("EXAMPLESON", "MCSAMPLE", "FICTIONBY", "O'PRETEND", "INVENTHAM", "FIGMENTON", "NOBODYSON", "MADEUP-SMYTHE")
STREETS = ("IMAGINARY ROW", "FICTIONAL WAY", "NOWHERE STREET", "EXAMPLE AVENUE", "INVENTED CLOSE", "SAMPLE LANE")
_TOWNS = ("EXAMPLETON", "FICTIONBURY", "SAMPLEWICK", "NOWHERE-ON-SEA", "MUCH PRETENDING")
_INWARD = "ABDEFGHJLNPQRSTUWXYZ"


def number(n: int) -> str:
    """The n-th number that belongs to nobody, in E.164, for n from 0."""
    if n < DRAMA_NUMBERS:
        return f"+44{_RANGES[n // 1000]}{n % 1000:03d}"
    raise ValueError(f"there are {DRAMA_NUMBERS} geographic numbers for drama")


def number_without_area(n: int) -> str:
    """The n-th of the million numbers of 01632."""
    return f"+441632{n % NUMBERS_WITHOUT_AREA:06d}"


def record(n: int, business_date: dt.date, *, e164: str | None = None, action: str = "I") -> dict[str, str]:
    """A record that breaks no rule, the same for the same n and day. A cease has its number and its day only."""
    e164 = e164 or number(n)
    made = dict.fromkeys(FIELDS, "")
    made |= {"line_no": str(n + 1), "action": action, "number_e164": e164, "effective_from": "2025-03-01"}
    if action == "C":
        return made | {"effective_from": business_date.isoformat()}
    business = n % 5 == 4
    voip = n % 3 == 0
    made |= {
        "national_number": "0" + e164.removeprefix("+44"),
        "party_type": "B" if business else "I",
        "name": f"INVENTED TRADERS {n % 9973}" if business else _SURNAMES[n % 8],
        "premises": str(1 + n // 7 % 180),
        "thoroughfare": STREETS[n % 6],
        "locality": "LOWER SAMPLE" if n % 4 == 0 else "",
        "post_town": _TOWNS[n // 11 % 5],
        "postcode": postcode(n),
        "country": "ENG",
        "service_type": "VOIP_FIXED" if voip else "FIXED",
        "location_independent": "N",
        "address_source": "INSTALL",
        "address_verified_at": (business_date - dt.timedelta(days=1 + n % 300)).isoformat(),
        "account_ref": f"acc-{n}",
        "version_no": "1",
    }
    if business:
        made["bus_suffix"] = "LTD"
    else:
        made |= {"title": _TITLES[n % 4], "forename": _FORENAMES[n // 8 % 8]}
    return made


def postcode(n: int) -> str:
    """A well-formed postcode of an area never allocated; about a million different ones."""
    area, n = ("ZY", "AA")[n % 2], n // 2
    unit = _INWARD[n % 20] + _INWARD[n // 20 % 20]
    return f"{area}{1 + n // 4000 % 99} {n // 400 % 10}{unit}"


def write_extract(
    folder: Path, layout: Layout, head: Head, records: Iterable[Record], totals: Totals | None = None
) -> WrittenFile:
    """The file of some records. Header and trailer are right unless other `totals` are given.

    With `totals` the records are gone through once and not held, however many they are.
    """
    if totals is None:
        records = list(records)
        totals = totals_of(records)
    return write(folder, layout, head, totals, detail_lines(layout, records))


def totals_of(records: Iterable[Record]) -> Totals:
    """What a right trailer says of these records."""
    actions: Counter[str] = Counter()
    control = 0
    for one in records:
        actions[one["action"]] += 1
        digits = "".join(filter(str.isdigit, one["number_e164"]))[-6:]
        control += int(digits or 0)
    return Totals(actions.total(), actions["I"], actions["A"], actions["C"], control)


def detail_lines(layout: Layout, records: Iterable[Record]) -> Iterator[bytes]:
    """The lines as the layout has them, a thousand at a time."""
    buffer = io.StringIO(newline="")
    end = layout.end.decode()
    writer = csv.writer(buffer, delimiter=layout.separator or ",", lineterminator=end)
    for count, one in enumerate(records, start=1):
        cells = [_cell(layout, field, one.get(field.name or "", "")) for field in layout.detail.fields]
        if layout.separator is None:
            buffer.write(layout.detail.mark + "".join(cells) + end)
        else:
            writer.writerow([layout.detail.mark, *cells])
        if count % 1000 == 0:
            yield buffer.getvalue().encode(layout.encoding)
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode(layout.encoding)


def _cell(layout: Layout, field: LayoutField, value: str) -> str:
    value = field.written(value)
    if field.kind == "date" and layout.date_format != "%Y-%m-%d" and value:
        value = dt.date.fromisoformat(value).strftime(layout.date_format)
    if layout.separator is not None:
        return value
    return value.rjust(field.length, "0") if field.kind == "number" and value else value.ljust(field.length)
