"""5,000 good records, each with one field damaged: what is caught, and what cannot be, because it could be true."""

from __future__ import annotations

import random
import re
from collections import Counter

from tests.holdfast.emergency_data.conftest import DAY, FOLDER, Desk
from tests.holdfast.emergency_data.corruptions import Corruption, corrupt

from holdfast.emergency_data.layout import CODES
from holdfast.synthetic import emergency as synthetic

RECORDS = 5_000
GRAMMAR = re.compile(r"[A-Z]{1,2}[0-9][0-9A-Z]? [0-9][ABD-HJLNP-UW-Z]{2}")
LIST = (FOLDER / "reference" / "postcode_area.csv").read_text().splitlines()[1:]
AREAS = {line.rstrip(",") for line in LIST} | {"ZY", "AA"}
SHARE_CAUGHT = {  # by field; docs/emergency_data.md says why the others cannot be seen in a record
    "number_e164": 0.95,
    "action": 1.0,
    "party_type": 1.0,
    "service_type": 0.9,
    "address_source": 1.0,
    "location_independent": 0.95,
    "postcode": 0.75,
    "national_number": 0.85,  # it may be left out
}


def test_damage_is_caught_but_for_values_that_could_be_true(desk: Desk) -> None:
    chance = random.Random(5_000)
    records, damages = [], []
    for n in range(RECORDS):
        record = synthetic.record(n, DAY)
        damages.append(corrupt(record, synthetic.record((n * 7 + 13) % RECORDS, DAY), chance))
        records.append(record | {damages[-1].field: damages[-1].value})
    desk.put(records)
    suite = desk.suite().without({"W107": "every number here is from the ranges for drama"})
    reasons = desk.reasons(suite=suite)
    caught = [n + 1 in reasons for n in range(RECORDS)]
    assert sum(caught) / RECORDS > 0.7
    for field, least in SHARE_CAUGHT.items():
        found = [one for one, damage in zip(caught, damages, strict=True) if damage.field == field]
        assert sum(found) / len(found) >= least, field
    unseen = [damage for one, damage in zip(caught, damages, strict=True) if not one]
    assert Counter((one.field, one.kind, one.value) for one in unseen if not could_be_true(one)) == {}


def could_be_true(damage: Corruption) -> bool:
    """Whether another good record could have the value: then no rule about one record can know better."""
    value = damage.value
    match damage.field:
        case "postcode":
            area = re.match(r"[A-Z]+", value)
            return bool(GRAMMAR.fullmatch(value)) and area is not None and area.group() in AREAS
        case "post_town":
            return value in ("", *synthetic._TOWNS)
        case "title" | "forename" | "name" | "bus_suffix" | "sub_premises" | "premises" | "thoroughfare" | "locality":
            return value == value.upper() == " ".join(value.split()) and len(value) <= 60
        case "address_verified_at":
            return "2025-11-24" <= value <= "2026-11-24"
        case "effective_from":
            return "1985-01-01" <= value <= "2027-01-23"
        case "service_type" | "location_independent" | "country" | "address_source":
            return value in (*CODES[damage.field], "")
        case "line_no" | "version_no" | "uprn":
            return value == "" or value.isdigit()
        case "account_ref":
            return re.fullmatch("[A-Za-z0-9_:-]*", value) is not None
        case "national_number":
            return value == ""
    return False  # a number, an action or a kind of party that was damaged is always seen
