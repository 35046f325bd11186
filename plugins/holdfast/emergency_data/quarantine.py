"""One record in quarantine, looked up by its number, with all its reasons. It shows names and addresses."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from holdfast import queries
from holdfast.emergency_data import catalogue, inputs
from holdfast.emergency_data.catalogue import Rule
from holdfast.settings import Settings


@dataclass(frozen=True)
class Quarantined:
    """A record as it came. `broken`: rule id -> what it means, None for a rule that there is not any more.

    `ended_at` None: it is still in quarantine; else `ended_how` says what became of it.
    """

    file_name: str
    fields: Mapping[str, str | None]
    broken: Mapping[str, Rule | None]
    ended_at: dt.datetime | None
    ended_how: str | None


def look_up(connection: sa.Connection, settings: Settings, extract_id: int, record_no: int) -> Quarantined | None:
    """The record with this number in its extract, None where quarantine has none.

    Who looks must be entered in the ledger before (`pages.visit`).
    """
    values = {"extract_id": extract_id, "record_no": record_no}
    row = queries.run(connection, "emergency/quarantined_record", values).one_or_none()
    if row is None:
        return None
    suite = catalogue.load(inputs.folder(settings) / "records.json", inputs.layouts(settings)[row.layout])
    broken = {rule_id: suite.rules.get(rule_id) for rule_id in row.rule_ids}
    return Quarantined(row.file_name, row.fields, broken, row.ended_at, row.ended_how)
