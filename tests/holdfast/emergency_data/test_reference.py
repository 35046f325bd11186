"""The lists that come with the project: complete where they say so, and written as the rules compare them."""

from __future__ import annotations

import csv

from tests.holdfast.emergency_data.conftest import FOLDER

LISTS = FOLDER / "reference"


def pairs(name: str) -> list[tuple[str, str]]:
    with (LISTS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return [(row["key"], row["value"]) for row in csv.DictReader(file)]


def test_there_are_121_postcode_areas_each_with_its_country_and_its_post_towns() -> None:
    areas = {area for area, _ in pairs("postcode_area")}
    assert len(areas) == 121
    assert not areas & {"GY", "JE", "IM", "BF", "BX", "XX", "ZY", "AA"}
    assert {area for area, _ in pairs("area_country")} == areas
    assert {area for area, _ in pairs("area_town")} == areas


def test_post_towns_are_written_as_the_rule_compares_them() -> None:
    towns = [town for _, town in pairs("area_town") + pairs("invented/area_town")]
    assert [town for town in towns if town != " ".join(town.upper().split()) or set(town) & set("-.'(,")] == []


def test_no_list_says_a_thing_twice() -> None:
    for path in LISTS.glob("*.csv"):
        rows = pairs(path.stem)
        assert len(rows) == len(set(rows)), path.name


def test_area_codes_lead_to_areas_that_there_are() -> None:
    areas = {area for area, _ in pairs("postcode_area")}
    assert {area for _, area in pairs("code_area")} <= areas
