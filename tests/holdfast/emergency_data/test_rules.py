"""Every rule stops a record that breaks it and lets one pass that just does not."""

from __future__ import annotations

import pytest
from tests.holdfast.emergency_data.cases import OF_ONE_RECORD, OF_OTHER_LAYOUTS, OF_SEVERAL
from tests.holdfast.emergency_data.conftest import DAY, FOLDER, PLAIN, PROVIDER, SUITE, Desk, good

from holdfast.emergency_data import catalogue
from holdfast.synthetic import emergency as synthetic


def test_every_rule_has_its_cases() -> None:
    assert set(SUITE.rules) == set(OF_ONE_RECORD) | OF_SEVERAL
    assert not OF_OTHER_LAYOUTS & set(SUITE.rules)


def test_every_case_has_a_record_that_breaks_the_rule_and_one_that_just_does_not() -> None:
    assert [rule_id for rule_id, (breaking, passing) in OF_ONE_RECORD.items() if not (breaking and passing)] == []


def test_every_field_may_be_as_long_as_its_layout_says_and_no_longer(desk: Desk) -> None:
    fields = [field for field in PLAIN.detail.fields if field.name and not field.values]
    desk.put([good(n, **{str(f.name): "1" * (f.length + more)}) for n, f in enumerate(fields) for more in (0, 1)])
    reasons = desk.reasons()
    assert [n for n in range(1, 2 * len(fields) + 1) if "E304" in reasons[n]] == list(range(2, 2 * len(fields) + 1, 2))


def test_every_mandatory_field_is_missed_where_it_is_empty(desk: Desk) -> None:
    fields = [field for field in PLAIN.detail.fields if field.mandatory]
    desk.put([good(n, **{str(field.name): ""}) for n, field in enumerate(fields)] + [good(n) for n in range(20, 23)])
    assert [n for n, rules in desk.reasons().items() if "E313" in rules] == list(range(1, len(fields) + 1))


def test_characters_that_a_layout_narrows_are_looked_at_in_its_field(desk: Desk) -> None:
    fields = tuple(
        field.model_copy(update={"characters": "[A-Z ]+"}) if field.name == "name" else field
        for field in PLAIN.detail.fields
    )
    narrow = PLAIN.model_copy(update={"detail": PLAIN.detail.model_copy(update={"fields": fields})})
    suite = catalogue.load(FOLDER / "records.json", narrow)
    assert set(suite.rules) - set(SUITE.rules) == OF_OTHER_LAYOUTS == {"E305"}
    suite = suite.without(dict.fromkeys(("E112", "E206", "W207"), "not supplied"))
    desk.put([good(0, name="O'PRETEND"), good(1, name="MADE UP")])
    assert [n for n, rules in desk.reasons(suite=suite).items() if "E305" in rules] == [1]


def test_a_good_record_breaks_nothing_but_is_seen_to_be_invented(desk: Desk) -> None:
    desk.put([synthetic.record(n, DAY) for n in range(1000)])
    assert {frozenset(rules) for rules in desk.reasons().values()} == {frozenset({"W107"})}


@pytest.mark.parametrize("rule_id", sorted(OF_ONE_RECORD))
def test_a_rule_stops_what_breaks_it_and_nothing_else(desk: Desk, rule_id: str) -> None:
    breaking, passing = OF_ONE_RECORD[rule_id]
    desk.put([good(n, **change) for n, change in enumerate([*breaking, *passing])])
    reasons = desk.reasons()
    stopped = [n for n in range(1, len(breaking) + len(passing) + 1) if rule_id in reasons.get(n, ())]
    assert stopped == list(range(1, len(breaking) + 1))


def test_a_cease_needs_its_number_and_its_day_only(desk: Desk) -> None:
    desk.put([synthetic.record(n, DAY, action="C") for n in range(20)])
    assert {frozenset(rules) for rules in desk.reasons("DELTA").values()} == {frozenset({"E108"})}, "none is registered"


def test_e102_wants_numbers_of_the_inventory(desk: Desk) -> None:
    desk.put([good(0), good(1, number_e164="+441632961000", national_number="")])
    assert "E102" not in desk.reasons()[1]
    assert "E102" in desk.reasons()[2]


def test_e104_and_e105_look_at_all_actions_of_a_number(desk: Desk) -> None:
    def of(n: int, action: str) -> dict[str, str]:
        return synthetic.record(n, DAY, action=action)

    desk.put(
        [of(1, "I"), of(1, "I"), of(2, "C"), of(2, "I"), of(3, "I"), of(3, "C"), of(4, "A"), of(4, "C"), of(5, "I")]
    )
    reasons = desk.reasons("DELTA")
    assert {n for n, rules in reasons.items() if "E104" in rules} == {1, 2}
    assert {n for n, rules in reasons.items() if "E105" in rules} == {5, 6, 7, 8}


def test_e108_wants_actions_that_fit_what_the_authority_has(desk: Desk) -> None:
    desk.execute("DELETE FROM emergency.number_record")
    for n, state in enumerate(("registered", "pending", "failed", "pending_cease", "unregistered")):
        desk.execute(
            "INSERT INTO emergency.number_record (provider, number, state, sequence, line_no, submitted_at, filled)"
            " VALUES (:provider, :number, :state, 1, 1, now(), 0)",
            provider=PROVIDER,
            number=synthetic.number(n),
            state=state,
        )
    numbers = range(6)  # the last one has no record at all
    found = {}
    for action in "IAC":
        desk.put([synthetic.record(n, DAY, action=action) for n in numbers])
        reasons = desk.reasons("DELTA")
        found[action] = [n for n in numbers if "E108" in reasons.get(n + 1, ())]
    assert found == {"I": [0, 1], "A": [4, 5], "C": [4, 5]}
    desk.put([synthetic.record(0, DAY)])
    assert "E108" not in desk.reasons("FULL")[1], "a full extract states everything anew"
    desk.execute("DELETE FROM emergency.number_record")


def test_lists_that_a_provider_supplies_are_used_once_they_are_there(desk: Desk) -> None:
    desk.put([good(0, postcode="ZY1 1AA"), good(1, postcode="ZY1 1AB"), good(2, number_e164="+441134960000")])
    assert not {"E112", "E206", "W207"} & set(desk.suite().rules)
    desk.supply("postcode", ["ZY1 1AA", good(2)["postcode"]])
    desk.supply("postcode_ended", ["ZY1 1AA"])
    desk.supply("allocated_block", ["1632", "207946"])
    reasons = desk.reasons()
    assert {n for n, rules in reasons.items() if "E206" in rules} == {2}
    assert {n for n, rules in reasons.items() if "W207" in rules} == {1}
    assert {n for n, rules in reasons.items() if "E112" in rules} == {3}
    for list_name in ("postcode", "postcode_ended", "allocated_block"):
        desk.supply(list_name, [])


def test_e309_minds_very_many_numbers_at_an_address_and_w308_customers_without_a_flat(desk: Desk) -> None:
    same = {"premises": "1", "thoroughfare": "SAMPLE LANE", "postcode": "ZY1 1AA"}
    desk.put([good(n, **same) for n in range(100)])
    assert all("E309" not in rules and "W308" in rules for rules in desk.reasons().values())
    desk.put([good(n, **same, sub_premises=f"FLAT {n}") for n in range(101)])
    assert all("E309" in rules and "W308" not in rules for rules in desk.reasons().values())
    desk.put([good(n, **same, account_ref="acc-1") for n in range(3)])
    assert all("W308" not in rules for rules in desk.reasons().values())
    desk.put([good(n, **same) for n in range(2)])
    assert all("W308" not in rules for rules in desk.reasons().values())


def test_an_exception_lets_one_rule_pass_for_one_number_until_its_day(desk: Desk) -> None:
    desk.put([good(0, name="UNKNOWN", premises=""), good(1, name="UNKNOWN")])
    accept = (
        "INSERT INTO emergency.exception (rule_id, provider, number, reason, owner, accepted_on, last_day)"
        " VALUES ('E306', :provider, :number, 'a-real-name', 'addressing', cast(:day AS date) - 9, :last_day)"
    )
    values = {"provider": PROVIDER, "number": good(0)["number_e164"], "day": DAY}
    desk.execute(accept, **values, last_day=DAY)
    verdict = desk.judge()
    reasons = desk.reasons()
    assert "E306" not in reasons[1]
    assert "E301" in reasons[1]
    assert "E306" in reasons[2]
    assert (verdict.broken["E306"], verdict.excepted) == (1, {"E306": 1})
    desk.execute("UPDATE emergency.exception SET last_day = last_day - 1")
    assert "E306" in desk.reasons()[1]
    desk.execute("DELETE FROM emergency.exception")


def test_a_rule_set_is_named_by_what_it_says() -> None:
    assert SUITE.digest.startswith("sha256:")
    assert SUITE.without({"W107": "a reason"}).digest != SUITE.digest
    assert "W107" not in SUITE.without({"W107": "a reason"}).rules
    assert all(rule.meaning and rule.fix and rule.owner for rule in SUITE.rules.values())
    assert all((rule_id[0] == "W") == (rule.severity == "warning") for rule_id, rule in SUITE.rules.items())
    assert catalogue.as_json(SUITE)["meta"] == {"rule_set": SUITE.digest}
