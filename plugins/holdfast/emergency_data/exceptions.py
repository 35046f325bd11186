"""Reviewed oddities: a number that may break a rule until a day, with who answers for it and why."""

from __future__ import annotations

import datetime as dt
import re

import sqlalchemy as sa

from holdfast import database, queries
from holdfast.emergency_data import bounds, catalogue
from holdfast.emergency_data import layout_files as layouts
from holdfast.errors import RuleSetError
from holdfast.evidence import ledger, pseudonyms
from holdfast.settings import Settings

_CODE = re.compile(r"[a-z][a-z0-9-]{2,60}")
_NUMBER = re.compile(r"\+44[0-9]{9,10}")
_MOST_DAYS = 366


def accept(
    engine: sa.Engine,
    settings: Settings,
    *,
    rule_id: str,
    number: str,
    last_day: dt.date,
    owner: str,
    reason: str,
    today: dt.date,
) -> int:
    """Record the exception; its number. Raises RuleSetError if it is not exact, or would last too long."""
    folder = settings.expectations / "emergency_data"
    rules = {
        one
        for layout in layouts.load_all(folder).values()
        for one in catalogue.load(folder / "records.json", layout).rules
    }
    if rule_id not in rules:
        raise RuleSetError(f"There is no rule {rule_id} for records.", fix="see docs/emergency_data.md for the rules.")
    if not _NUMBER.fullmatch(number):
        raise RuleSetError("The number is not in E.164 form.", fix="write +44 and 9 or 10 digits.")
    if not (_CODE.fullmatch(owner) and _CODE.fullmatch(reason)):
        raise RuleSetError("Owner and reason are codes.", fix="use small letters, digits and hyphens, 3 to 61 of them.")
    if not today <= last_day <= today + dt.timedelta(days=_MOST_DAYS):
        raise RuleSetError("An exception ends within a year.", fix="give a day from today on, and review it then.")
    provider = bounds.load(folder / "bounds.yaml").provider
    values = {
        "rule_id": rule_id,
        "provider": provider,
        "number": number,
        "reason": reason,
        "owner": owner,
        "accepted_on": today,
        "last_day": last_day,
    }
    facts: dict[str, ledger.JSON] = {
        "rule": rule_id,
        "number": pseudonyms.pseudonym(settings.pseudonym_key(), "number", number),
        "reason": reason,
        "owner": owner,
        "last_day": last_day.isoformat(),
    }
    with database.transaction(engine) as connection:
        made = int(queries.run(connection, "emergency/place_exception", values).scalar_one())
        ledger.append(connection, "exception_accepted", {**facts, "exception": made})
    return made
