"""Thousands of files, whole and damaged in every way, through the job: each is accounted for, and says why.

`HOLDFAST_DRILL_FILES` is how many; `make drill-files` does 10,000.
"""

from __future__ import annotations

import dataclasses
import os
import random
import re
from collections import Counter
from pathlib import Path

import sqlalchemy as sa
from tests.holdfast.emergency_data.conftest import BOUNDS, FIXED, FOLDER, LAYOUTS, PLAIN, PROVIDER
from tests.holdfast.emergency_data.corruptions import corrupt
from tests.holdfast.emergency_data.damage import KINDS

from holdfast import clock, settings
from holdfast.emergency_data import catalogue, inputs, one_extract, reference, store, taking_in, writing
from holdfast.emergency_data.layout import Layout
from holdfast.emergency_data.taking_in import LOADED, ZONE, Folders
from holdfast.synthetic import emergency as synthetic

FILES = int(os.environ.get("HOLDFAST_DRILL_FILES", "250"))
SOUND_EVERY = 20
RECORDS = 12
TEXTS = ("title", "forename", "name", "premises", "thoroughfare", "locality", "post_town", "postcode")
NAMES = ("NG999_{}.csv", "extract.csv", "ng999_hft_{}.csv", "NG999_HFT_20261124_{}.csv.gz", "{}", "a b\tc")


class Post:
    """What arrives: sound files with good and bad records, and damaged ones, each under the next sequence number."""

    def __init__(self, engine: sa.Engine, home: Path) -> None:
        self.engine = engine
        self.settings = dataclasses.replace(settings.load(), home=home)
        self.folders = Folders.below(self.settings.emergency)
        self.now = inputs.now(engine)
        self.day = clock.local_date(self.now, ZONE)
        with engine.begin() as connection:
            folder = self.settings.expectations / "emergency_data" / "reference"
            reference.load_shipped(connection, folder, invented_places=True)

    def next_sequence(self) -> int:
        with self.engine.begin() as connection:
            return (store.last_sequence(connection, PROVIDER) or 0) + 1

    def write(self, kind: Layout, chance: random.Random, *, damaged_records: bool) -> Path:
        records = []
        for n in range(RECORDS):
            record = synthetic.record(chance.randrange(10_000), self.day, action=chance.choice("IIIAC"))
            if damaged_records and chance.random() < 0.5:
                changed = corrupt(record, synthetic.record(n, self.day), chance)
                fits = changed.field in TEXTS and len(changed.value) <= 12  # shorter than any of their columns
                record |= {changed.field: changed.value} if fits else {}
            records.append(record)
        sequence = self.next_sequence()
        head = writing.Head(PROVIDER, sequence, sequence - 1, "DELTA", self.day, self.now)
        return synthetic.write_extract(self.folders.inbox, kind, head, records).path

    def take_in(self, path: Path) -> taking_in.Taken:
        return taking_in.take_in(self.engine, self.folders, path, LAYOUTS, BOUNDS, self.now)

    def rows(self, statement: str) -> list[sa.Row[tuple[object, ...]]]:
        with self.engine.begin() as connection:
            return list(connection.execute(sa.text(statement)).all())


def test_every_file_is_released_or_refused_with_its_reasons(database: sa.Engine, home: Path) -> None:
    chance, post = random.Random(FILES), Post(database, home)
    became: dict[str, Counter[str]] = {}
    for n in range(FILES):
        kind = chance.choice((PLAIN, FIXED))
        sound = n % SOUND_EVERY == 0
        path = post.write(kind, chance, damaged_records=sound)
        what = "sound" if sound else chance.choice([*KINDS, "another name"])
        if what == "another name":
            path = path.rename(path.with_name(chance.choice(NAMES).format(n)))
        elif not sound:
            whole = path.read_bytes()
            path.write_bytes(KINDS[what](whole, chance))
            what = what if path.read_bytes() != whole else "sound"
        taken = post.take_in(path)
        assert not path.exists(), (what, taken)
        became.setdefault(what, Counter())[",".join(taken.rule_ids) or taken.what] += 1
        if taken.what == LOADED:
            assert taken.extract_id is not None
            one_extract.judge_extract(database, post.settings, extract_id=taken.extract_id)
            one_extract.release_extract(database, post.settings, extract_id=taken.extract_id)
    for what, reasons in sorted(became.items()):
        print(f"{what:<20} {sum(reasons.values()):>6}  {dict(reasons.most_common())}")
    _everything_is_accounted_for(post)
    assert set(became["sound"]) == {LOADED}
    for what in ("cut off", "NUL bytes", "a line missing", "another encoding", "other line ends", "a huge line"):
        assert LOADED not in became[what], what


def _everything_is_accounted_for(post: Post) -> None:
    """Files in are files released and refused; of each that was released, records in are those released and stopped."""
    found = Counter(row.state for row in post.rows("SELECT state FROM emergency.extract"))
    assert found.total() == FILES
    assert set(found) <= {"released", "refused"}
    (sums,) = post.rows(
        "SELECT sum(records) FILTER (WHERE state = 'released') AS records, sum(released) AS released,"
        " sum(quarantined) AS quarantined, (SELECT count(*) FROM emergency.quarantine) AS kept FROM emergency.extract"
    )
    assert sums.records == sums.released + sums.quarantined
    assert sums.quarantined == sums.kept > 0
    assert len(list(post.folders.received.iterdir())) == found["released"]
    assert list(post.folders.inbox.iterdir()) == []
    known = catalogue.load_file_rules(FOLDER / "files.yaml")
    unexplained = post.rows(
        "SELECT extract_id FROM emergency.extract WHERE state = 'refused'"
        " EXCEPT SELECT extract_id FROM emergency.file_finding"
    )
    assert unexplained == []
    for row in post.rows("SELECT rule_id, reason, column_name FROM emergency.file_finding"):
        assert row.rule_id in known
        assert re.fullmatch("[a-z0-9_]+", str(row.reason))
        assert row.column_name is None or re.fullmatch("[A-Za-z0-9_]{1,40}", str(row.column_name))
