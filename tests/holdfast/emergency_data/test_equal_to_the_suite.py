"""The one pass and Great Expectations say the same of every record, rule by rule."""

from __future__ import annotations

import random

from tests.holdfast.emergency_data.cases import OF_ONE_RECORD
from tests.holdfast.emergency_data.conftest import DAY, PROVIDER, Desk, good
from tests.holdfast.emergency_data.corruptions import corrupt

from holdfast.emergency_data import suite_run
from holdfast.synthetic import emergency as synthetic


def test_both_find_the_same_records_for_every_rule(desk: Desk) -> None:
    chance = random.Random(999)
    records = [good(n, **change) for n, cases in enumerate(OF_ONE_RECORD.values()) for one in cases for change in one]
    for n in range(1500):
        record = synthetic.record(n, DAY, action=chance.choice("IIIIIIAC"))
        for _ in range(chance.choice((0, 1, 1, 2, 5))):
            changed = corrupt(record, synthetic.record(chance.randrange(1500), DAY), chance)
            record[changed.field] = changed.value
        records.append(record)
    crowd = {"premises": "1", "thoroughfare": "SAMPLE LANE", "postcode": "ZY1 1AA"}
    records += [synthetic.record(n, DAY) | crowd for n in range(2000, 2105)]
    chance.shuffle(records)
    desk.supply("postcode", [synthetic.postcode(n) for n in range(1200)])
    desk.supply("postcode_ended", [synthetic.postcode(n) for n in range(10)])
    desk.supply("allocated_block", ["1632", "20794", "113496", "11449600"])
    for n, state in enumerate(["registered", "failed", "unregistered", "pending_cease"] * 100):
        desk.execute(
            "INSERT INTO emergency.number_record (provider, number, state, sequence, line_no, submitted_at, filled)"
            " VALUES (:provider, :number, :state, 1, 1, now(), 0)",
            provider=PROVIDER,
            number=synthetic.number(n),
            state=state,
        )
    desk.put(records)
    suite = desk.suite()
    ours: dict[str, set[int]] = {rule_id: set() for rule_id in suite.rules}
    for record_no, rules in desk.reasons("DELTA").items():
        for rule_id in rules:
            ours[rule_id].add(record_no)

    theirs: dict[str, set[int]] = {rule_id: set() for rule_id in suite.rules}
    for outcome in suite_run.run(desk.engine, desk.table, suite, desk.parameters("DELTA"), with_records=True):
        if (
            outcome.type == "expect_compound_columns_to_be_unique"
        ):  # on a database it counts the records, and lists none
            assert outcome.unexpected == len(ours[outcome.rule_id])
            theirs[outcome.rule_id] = ours[outcome.rule_id]
        else:
            assert outcome.unexpected == len(outcome.record_nos)
            theirs[outcome.rule_id].update(outcome.record_nos)

    assert {rule_id: sorted(found) for rule_id, found in ours.items()} == {
        rule_id: sorted(found) for rule_id, found in theirs.items()
    }
    assert [rule_id for rule_id, found in ours.items() if not found] == [], "every rule was broken by some record"
