"""From the inbox to the outbox and back to the inventory: nothing is lost, nothing goes twice, nothing bad leaves."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re

import pytest
from tests.holdfast.emergency_data.conftest import BOUNDS, PLAIN, Job

from holdfast import store
from holdfast.emergency_data import forget, manifest, one_extract, rules, steps, taking_in
from holdfast.emergency_data.scan import scan
from holdfast.errors import DeliveryRefused
from holdfast.evidence import verify
from holdfast.evidence.copies import Copies
from holdfast.synthetic import emergency as synthetic


def test_good_records_leave_and_bad_ones_stay_with_all_their_reasons(job: Job) -> None:
    records = [job.good(n) for n in range(60)]
    records[7] |= {"postcode": "", "name": "UNKNOWN"}
    records[9]["thoroughfare"] = "High Street"  # a warning
    path = job.send(1, records, "FULL")
    (result,) = job.run()
    assert (result["records"], result["released"], result["quarantined"], result["warned"]) == (60, 59, 1, 1)
    assert job.outbox() == [path.name]
    seen = scan(job.root / "outbox" / path.name, PLAIN)
    assert seen.findings == []
    assert (seen.records, seen.trailer["inserts"]) == (59, 59)
    (row,) = job.query("SELECT record_no, number, rule_ids, fields, ended_at FROM emergency.quarantine")
    assert (row.record_no, row.number, row.ended_at) == (8, synthetic.number(7), None)
    assert set(row.rule_ids) == {"E201", "E306", "E313"}
    assert row.fields["name"] == "UNKNOWN"
    states = dict(job.query("SELECT state, count(*) FROM emergency.number_record GROUP BY state"))  # type: ignore[arg-type]
    assert states == {"pending": 59}
    (facts,) = job.ledger("extract_released")
    assert facts["records"] == facts["released"] + facts["quarantined"] == 60
    assert not job.query("SELECT FROM pg_tables WHERE schemaname = 'emergency' AND tablename ~ '_[0-9]+$'")


def test_a_manifest_goes_out_with_the_file_and_names_nobody(job: Job) -> None:
    records = [job.good(n) for n in range(30)]
    records[7]["postcode"] = ""
    came = job.send(1, records, "FULL")
    digest = hashlib.sha256(came.read_bytes()).hexdigest()
    job.run()
    sent = job.root / "outbox" / came.name
    said = json.loads(manifest.of_file(sent).read_text())
    (facts,) = job.ledger("extract_released")
    assert facts["manifest"] == f"sha256:{hashlib.sha256(manifest.of_file(sent).read_bytes()).hexdigest()}"
    assert (said["file"], said["bytes"]) == (sent.name, sent.stat().st_size)
    assert said["sha256"] == hashlib.sha256(sent.read_bytes()).hexdigest() == facts["release"].removeprefix("sha256:")
    assert (said["records"], said["inserts"], said["rule_set"]) == (29, 29, facts["rule_set"])
    assert said["received"] == {"sha256": digest, "records": 30, "quarantined": 1}
    assert not re.search(r"EXAMPLE|\+44|[0-9]{9}\b", manifest.of_file(sent).read_text())


def test_a_corrected_record_leaves_quarantine_and_a_worse_one_takes_its_place(job: Job) -> None:
    job.send(1, [job.good(n, postcode="" if n in (1, 2) else "ZY1 1AA", premises=str(n + 1)) for n in range(5)], "FULL")
    job.run()
    job.send(2, [job.good(1), job.good(2, name="")])
    (result,) = job.run()
    assert (result["corrected"], result["superseded"], result["quarantined"]) == (1, 1, 1)
    rows = job.query("SELECT number, ended_how FROM emergency.quarantine ORDER BY extract_id, record_no")
    assert [(row.number, row.ended_how) for row in rows] == [
        (synthetic.number(1), "corrected"),
        (synthetic.number(2), "superseded"),
        (synthetic.number(2), None),
    ]


def test_ceases_amends_and_moved_numbers_change_states(job: Job) -> None:
    job.send(1, [job.good(n) for n in range(4)], "FULL")
    job.run()
    job.send(2, [job.good(0, "C"), job.good(1, "A", premises="99"), job.good(2, "C"), job.good(2, premises="77")])
    job.run()
    rows = job.query("SELECT number, state, sequence FROM emergency.number_record ORDER BY number")
    assert {(row.number, row.state, row.sequence) for row in rows} == {
        (synthetic.number(0), "pending_cease", 2),
        (synthetic.number(1), "pending", 2),
        (synthetic.number(2), "pending", 2),
        (synthetic.number(3), "pending", 1),
    }
    assert job.query("SELECT FROM emergency.quarantine") == [], "an insert after a cease of the same number may leave"


def test_files_are_taken_once_in_their_order_and_a_broken_one_stops_no_other(job: Job) -> None:
    job.send(1, [job.good(0)], "FULL")
    job.send(3, [job.good(2)])
    (job.root / "inbox" / "NOTES.txt").write_text("what is this")
    ours, unknown = job.work()
    assert (ours["loaded"], ours["early"], unknown["refused"]) == (1, 1, 1)
    assert unknown["rules_broken"] == ["F013"]
    (early,) = job.work()
    assert (early["loaded"], early["early"]) == (0, 1), "the early one waits in the inbox"
    job.send(2, [job.good(1), job.good(0, "A", premises="9")])
    assert [result["released"] for result in job.run()] == [2, 1]
    assert len(job.outbox()) == 3
    again = job.send(3, [job.good(5)])
    assert job.work()[0]["rules_broken"] == ["F003"]
    assert not again.exists()
    again.write_bytes((job.root / "received" / again.name).read_bytes())
    assert job.work()[0]["rules_broken"] == ["F010"]
    assert job.query("SELECT count(*) FROM emergency.release")[0][0] == 3
    assert [facts["rules"] for facts in job.ledger("extract_refused")] == [["F013"], ["F003"], ["F010"]]


def test_a_file_whose_header_has_another_number_than_its_name_is_refused_and_not_waited_for(job: Job) -> None:
    path = job.send(1, [job.good(0)], "FULL")
    path.write_bytes(path.read_bytes().replace(b",HFT,1,", b",HFT,9,", 1))
    (ours,) = job.work()
    assert (ours["refused"], ours["early"]) == (1, 0)
    assert "F019" in ours["rules_broken"]


def test_every_step_may_be_repeated(job: Job) -> None:
    job.send(1, [job.good(n) for n in range(10)], "FULL")
    extract_id = job.load()
    for _ in range(2):
        one_extract.judge_extract(job.engine, job.settings, extract_id=extract_id)
    for _ in range(2):
        assert one_extract.release_extract(job.engine, job.settings, extract_id=extract_id)["state"] == "released"
    assert steps.deliver_files(job.engine, job.settings) == {"delivered": 1}
    assert steps.deliver_files(job.engine, job.settings) == {"delivered": 0}
    assert len(job.ledger("extract_released")) == len(job.ledger("extract_delivered")) == 1


def test_a_file_that_was_put_there_before_a_crash_is_not_sent_again_and_another_one_is_never_overwritten(
    job: Job,
) -> None:
    path = job.send(1, [job.good(n) for n in range(10)], "FULL")
    extract_id = job.load()
    one_extract.judge_extract(job.engine, job.settings, extract_id=extract_id)
    one_extract.release_extract(job.engine, job.settings, extract_id=extract_id)
    outbox = job.root / "outbox"
    outbox.mkdir()
    (outbox / path.name).write_text("something else")
    with pytest.raises(DeliveryRefused, match="another file"):
        steps.deliver_files(job.engine, job.settings)
    (outbox / path.name).write_bytes((job.root / "released" / path.name).read_bytes())
    before = (outbox / path.name).stat().st_mtime_ns
    assert steps.deliver_files(job.engine, job.settings) == {"delivered": 1}
    assert (outbox / path.name).stat().st_mtime_ns == before


def test_the_ledger_holds_and_names_nobody(job: Job) -> None:
    job.send(1, [job.good(n, postcode="" if n == 3 else "ZY1 1AA", premises=str(n + 1)) for n in range(30)], "FULL")
    job.run()
    steps.reconcile(job.engine, job.settings)
    texts = " ".join(row.entry for row in job.query("SELECT entry FROM holdfast.ledger_entry"))
    assert "EXAMPLE" not in texts
    assert synthetic.number(3)[3:] not in texts
    with job.engine.connect() as connection:
        assert verify.verify(connection, job.settings.seals, Copies(job.settings.checkpoints)).findings == ()


def test_what_ended_long_ago_is_forgotten_and_what_is_open_is_not(job: Job) -> None:
    records = [job.good(n, postcode="" if n in (1, 2) else "ZY1 1AA", premises=str(n + 1)) for n in range(30)]
    job.send(1, records, "FULL")
    job.run()
    job.send(2, [job.good(1), job.good(5, "C")])
    job.run()
    bounds = BOUNDS.kept_days
    folders = taking_in.Folders.below(job.root)
    with job.engine.begin() as connection:
        early = forget.forget(connection, folders, job.now + dt.timedelta(days=bounds - 1), bounds)
        late = forget.forget(connection, folders, job.now + dt.timedelta(days=bounds + 1), bounds)
    assert early == {"records": 0, "numbers": 0, "gaps": 0, "rejects": 0, "calls": 0, "files": 0}
    assert late == {"records": 1, "numbers": 1, "gaps": 0, "rejects": 0, "calls": 0, "files": 4}
    assert len(job.query("SELECT FROM emergency.quarantine")) == 1
    assert len(job.query("SELECT FROM emergency.number_record")) == 28
    assert store.files(job.root / "received") == []


def test_a_reject_is_too_old_after_three_working_days() -> None:
    assert rules.working_days_before(dt.date(2026, 11, 24), 3) == dt.date(2026, 11, 19)
    assert rules.working_days_before(dt.date(2026, 12, 29), 3) == dt.date(2026, 12, 22)
