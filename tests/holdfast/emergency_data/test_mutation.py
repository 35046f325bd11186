"""5,000 good records, each with one field damaged: what is caught, and what cannot be, because it could be true."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from dataclasses import dataclass

import pytest
from tests.holdfast.emergency_data.cases import OF_SEVERAL
from tests.holdfast.emergency_data.conftest import DAY, FOLDER, SUITE, Desk
from tests.holdfast.emergency_data.corruptions import Corruption, corrupt

from holdfast.emergency_data.catalogue import Expectation
from holdfast.emergency_data.fields import CODES, FIELDS
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


TEXTS = {"title", "forename", "name", "bus_suffix", "sub_premises", "premises", "thoroughfare", "locality", "post_town"}
EMPTY = {
    "line_no": "E313",
    "action": "E110",
    "number_e164": "E101",
    "party_type": "E115",
    "name": "E401",
    "premises": "E301",
    "postcode": "E201",
    "service_type": "E116",
    "location_independent": "E117",
    "address_source": "E119",
    "effective_from": "E120",
}
WRONG = {  # whatever it was changed to, if that is none of the codes
    "action": "E110",
    "party_type": "E115",
    "service_type": "E116",
    "location_independent": "E117",
    "address_source": "E119",
    "country": "E126",
}


@dataclass(frozen=True)
class Damaged:
    """A damaged record, and the rules that it broke."""

    damage: Corruption
    rules: frozenset[str]


@pytest.fixture(scope="module")
def damaged(desk: Desk) -> list[Damaged]:
    chance = random.Random(5_000)
    records, damages = [], []
    for n in range(RECORDS):
        record = synthetic.record(n, DAY)
        damages.append(corrupt(record, synthetic.record((n * 7 + 13) % RECORDS, DAY), chance))
        records.append(record | {damages[-1].field: damages[-1].value})
    desk.put(records)
    suite = desk.suite().without({"W107": "every number here is from the ranges for drama"})
    reasons = desk.reasons(suite=suite)
    return [Damaged(damage, frozenset(reasons.get(n, ()))) for n, damage in enumerate(damages, start=1)]


def test_damage_is_caught_but_for_values_that_could_be_true(damaged: list[Damaged]) -> None:
    caught = [bool(one.rules) for one in damaged]
    for line in table(damaged):
        print(line)
    assert sum(caught) / RECORDS > 0.7
    for field, least in SHARE_CAUGHT.items():
        found = [bool(one.rules) for one in damaged if one.damage.field == field]
        assert sum(found) / len(found) >= least, field
    unseen = [one.damage for one in damaged if not one.rules]
    assert Counter((one.field, one.kind, one.value) for one in unseen if not could_be_true(one)) == {}


def test_only_rules_that_look_at_the_damaged_field_catch_it(damaged: list[Damaged]) -> None:
    looked_at: dict[str, set[str]] = {}
    for one in SUITE.expectations:
        looked_at.setdefault(one.rule.rule_id, set()).update(columns_of(one))
    strangers = [
        (one.damage.field, one.damage.kind, rule_id)
        for one in damaged
        for rule_id in one.rules
        # A number that is damaged may be another record's, whose actions are then looked at together.
        if one.damage.field not in looked_at[rule_id] and rule_id not in OF_SEVERAL
    ]
    assert strangers == []


def test_damage_is_caught_by_the_rule_that_is_there_for_it(damaged: list[Damaged]) -> None:
    due = [(one, rule_id) for one in damaged if (rule_id := rule_due(one.damage)) is not None]
    assert len(due) > RECORDS / 4
    assert [(one.damage, rule_id, one.rules) for one, rule_id in due if rule_id not in one.rules] == []


def rule_due(damage: Corruption) -> str | None:
    """The rule that is there for the damage, where one alone is; None where it depends on what came out."""
    match damage.kind:
        case "empty":
            return EMPTY.get(damage.field)
        case "placeholder" if damage.field in TEXTS:
            return "E306"
        case "lower" if damage.field in TEXTS:
            return "W311"
        case "spaces" if damage.field in TEXTS:
            return "W315"
        case "lower" | "spaces" if damage.field == "postcode":
            return "E210"
    if damage.value and damage.value not in CODES.get(damage.field, (damage.value,)):
        return WRONG[damage.field]
    return None


def columns_of(expectation: Expectation) -> set[str]:
    """Every column that an expectation looks at, its row condition's too."""
    text = json.dumps(dict(expectation.kwargs))
    return {name for name in FIELDS if f'"{name}"' in text}


def table(damaged: list[Damaged]) -> list[str]:
    """The lines of the table in docs/emergency_data.md: field, damaged, caught."""
    by_field: dict[str, list[bool]] = {}
    for one in damaged:
        by_field.setdefault(one.damage.field, []).append(bool(one.rules))
    shares = {field: sum(found) / len(found) for field, found in by_field.items()}
    lines = [
        f"| {field} | {len(by_field[field])} | {100 * share:.0f}% |"
        for field, share in sorted(shares.items(), key=lambda item: -item[1])
    ]
    every = [bool(one.rules) for one in damaged]
    return [*lines, f"{100 * sum(every) / len(every):.1f}% of {len(every):,} are caught"]


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
