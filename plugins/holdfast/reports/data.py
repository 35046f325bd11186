"""A report as data for programs: JSON that can be compared line by line from one night to the next."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import json
from collections.abc import Mapping
from typing import Any


def json_text(facts: Mapping[str, object]) -> str:
    """The JSON of values and dataclasses, with sorted keys. ValueError for an endless number."""
    return json.dumps(_plain(facts), indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def _plain(value: object) -> Any:
    """The value in what JSON has: days and instants as ISO 8601, bytes as hexadecimal digits."""
    match value:
        case enum.Enum():
            return value.value
        case dt.datetime() | dt.date():
            return value.isoformat()
        case bytes():
            return value.hex()
        case Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case _ if dataclasses.is_dataclass(value):
            return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        case _:
            return value
