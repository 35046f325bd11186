"""Every alteration of a chain is found, under the right number, and an unaltered chain raises no alarm."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from holdfast.evidence.chain import GENESIS, ChainCheck
from holdfast.evidence.findings import LISTED_AT_MOST, Finding, Findings, Flaw

AT = "2026-11-24T01:30:00.000000Z"


@dataclass(frozen=True)
class Row:
    seq: int
    at: str
    run_id: int | None
    kind: str
    entry: str
    prev_hash: bytes
    hash: bytes


def chain_of(length: int) -> list[Row]:
    rows: list[Row] = []
    for seq in range(1, length + 1):
        rows.append(row_after(rows[-1].hash if rows else GENESIS, seq, f'{{"batch":{seq}}}'))
    return rows


def row_after(prev_hash: bytes, seq: int, facts: str) -> Row:
    run_id = None if seq % 5 == 0 else seq % 3
    kind = "batch_deleted" if seq % 2 else "plan_made"
    entry = f'{{"at":"{AT}","facts":{facts},"kind":"{kind}","run":{json.dumps(run_id)},"seq":{seq}}}'
    return Row(seq, AT, run_id, kind, entry, prev_hash, sha256(prev_hash + entry.encode()).digest())


def check(rows: Sequence[Row], head: tuple[int, bytes] | None) -> tuple[Finding, ...]:
    findings = Findings()
    chain = ChainCheck(findings)
    for row in rows:
        chain.feed(row.seq, row.at, row.run_id, row.kind, row.entry, row.prev_hash, row.hash)
    chain.finish(head)
    assert chain.entries == len(rows)
    return findings.listed()


def found(rows: Sequence[Row], head: Row) -> list[tuple[Flaw, int, int]]:
    return [(one.flaw, one.seq, one.last_seq) for one in check(rows, (head.seq, head.hash))]


def renumbered(rows: Sequence[Row], by: int) -> list[Row]:
    return [dataclasses.replace(row, seq=row.seq + by) for row in rows]


lengths = st.integers(3, 40)


@given(st.integers(0, 40))
def test_an_unaltered_chain_has_no_findings(length: int) -> None:
    rows = chain_of(length)
    assert check(rows, (length, rows[-1].hash if rows else GENESIS)) == ()


@given(lengths, st.data())
def test_a_changed_column_is_found_at_its_entry(length: int, data: st.DataObject) -> None:
    rows = chain_of(length)
    where = data.draw(st.integers(0, length - 1))
    row = rows[where]
    changed = data.draw(
        st.sampled_from(
            [
                dataclasses.replace(row, at="2026-11-24T01:30:00.000001Z"),
                dataclasses.replace(row, run_id=99),
                dataclasses.replace(row, run_id=None if row.run_id is not None else 0),
                dataclasses.replace(row, kind="run_sealed"),
                dataclasses.replace(row, entry=row.entry.replace('"batch":', '"batch":1')),
                dataclasses.replace(row, entry=""),
                dataclasses.replace(row, prev_hash=sha256(row.prev_hash).digest()),
                dataclasses.replace(row, prev_hash=b""),
                dataclasses.replace(row, hash=sha256(row.hash).digest()),
            ]
        )
    )
    altered = [*rows[:where], changed, *rows[where + 1 :]]
    expected = [(Flaw.CHANGED, row.seq, row.seq)]
    if where == length - 1 and changed.hash != row.hash:
        expected.append((Flaw.HEAD, row.seq, row.seq))
    assert found(altered, rows[-1]) == expected


@given(lengths, st.data())
def test_any_flipped_bit_of_text_or_hash_is_found_at_its_entry(length: int, data: st.DataObject) -> None:
    rows = chain_of(length)
    where = data.draw(st.integers(0, length - 1))
    row = rows[where]
    column = data.draw(st.sampled_from(["entry", "prev_hash", "hash"]))
    if column == "entry":
        character = data.draw(st.integers(0, len(row.entry) - 1))
        other = chr(ord(row.entry[character]) ^ (1 << data.draw(st.integers(0, 6))))
        changed = dataclasses.replace(row, entry=row.entry[:character] + other + row.entry[character + 1 :])
    else:
        value = getattr(row, column)
        flipped = int.from_bytes(value) ^ (1 << data.draw(st.integers(0, 255)))
        changed = dataclasses.replace(row, **{column: flipped.to_bytes(32)})
    findings = check([*rows[:where], changed, *rows[where + 1 :]], (length, rows[-1].hash))
    assert findings
    assert {one.flaw for one in findings} <= {Flaw.CHANGED, Flaw.REORDERED, Flaw.HEAD}
    assert {one.seq for one in findings} == {row.seq}


@given(lengths, st.data())
def test_an_entry_rewritten_with_its_hash_is_given_away_by_the_next(length: int, data: st.DataObject) -> None:
    rows = chain_of(length)
    where = data.draw(st.integers(0, length - 1))
    rewritten = row_after(rows[where].prev_hash, where + 1, '{"batch":0}')
    altered = [*rows[:where], rewritten, *rows[where + 1 :]]
    flaw = Flaw.HEAD if where == length - 1 else Flaw.CHANGED
    assert found(altered, rows[-1]) == [(flaw, where + 1, where + 1)]


@given(lengths, st.data())
def test_removed_entries_are_named_all(length: int, data: st.DataObject) -> None:
    rows = chain_of(length)
    first = data.draw(st.integers(1, length))
    last = data.draw(st.integers(first, length))
    altered = [row for row in rows if not first <= row.seq <= last]
    assert found(altered, rows[-1]) == [(Flaw.REMOVED, first, last)]


@given(lengths, st.data())
def test_removal_is_found_behind_renumbering(length: int, data: st.DataObject) -> None:
    rows = chain_of(length + 2)
    first = data.draw(st.integers(1, length))
    last = data.draw(st.integers(first, length))
    count = last - first + 1
    altered = [*rows[: first - 1], *renumbered(rows[last:], -count)]
    assert found(altered, altered[-1]) == [(Flaw.REMOVED, first, last)]


@given(lengths, st.data())
def test_insertion_is_found_behind_renumbering(length: int, data: st.DataObject) -> None:
    rows = chain_of(length + 2)
    where = data.draw(st.integers(1, length))
    inserted = row_after(rows[where - 1].prev_hash, where, '{"batch":0}')
    altered = [*rows[: where - 1], inserted, *renumbered(rows[where - 1 :], 1)]
    assert found(altered, altered[-1]) == [(Flaw.INSERTED, where, where)]


@given(lengths)
def test_an_entry_beyond_the_recorded_end_is_inserted(length: int) -> None:
    rows = chain_of(length + 1)
    assert found(rows, rows[-2]) == [(Flaw.INSERTED, length + 1, length + 1)]


def test_an_entry_before_the_first_is_inserted() -> None:
    rows = chain_of(3)
    assert (Flaw.INSERTED, 0, 0) in found([row_after(GENESIS, 0, "{}"), *rows], rows[-1])


@given(lengths, st.data())
def test_exchanged_entries_are_named_both(length: int, data: st.DataObject) -> None:
    rows = chain_of(length)
    first = data.draw(st.integers(1, length - 1))
    second = data.draw(st.integers(first + 1, length))
    altered = list(rows)
    altered[first - 1] = dataclasses.replace(rows[second - 1], seq=first)
    altered[second - 1] = dataclasses.replace(rows[first - 1], seq=second)
    expected = [(Flaw.REORDERED, first, first), (Flaw.REORDERED, second, second)]
    assert found(altered, altered[-1]) == expected


@given(lengths, st.data())
def test_two_alterations_are_both_found(length: int, data: st.DataObject) -> None:
    rows = chain_of(length + 4)
    first = data.draw(st.integers(1, length))
    second = data.draw(st.integers(first + 3, length + 3))
    altered = [row for row in rows if row.seq != second]
    altered[first - 1] = dataclasses.replace(rows[first - 1], kind="run_sealed")
    assert found(altered, rows[-1]) == [(Flaw.CHANGED, first, first), (Flaw.REMOVED, second, second)]


def test_a_cut_off_end_is_found_from_the_head() -> None:
    rows = chain_of(10)
    assert found(rows[:6], rows[-1]) == [(Flaw.REMOVED, 7, 10)]
    assert found([], rows[-1]) == [(Flaw.REMOVED, 1, 10)]


def test_a_lost_head_is_a_finding() -> None:
    assert [one.flaw for one in check(chain_of(3), None)] == [Flaw.HEAD]


def test_findings_are_bounded_and_counted() -> None:
    rows = [dataclasses.replace(row, kind="run_sealed") for row in chain_of(LISTED_AT_MOST + 50)]
    findings = Findings()
    chain = ChainCheck(findings)
    for row in rows:
        chain.feed(row.seq, row.at, row.run_id, row.kind, row.entry, row.prev_hash, row.hash)
    chain.finish((rows[-1].seq, rows[-1].hash))
    assert len(findings.listed()) == LISTED_AT_MOST
    assert findings.left_out == 50
    assert str(findings.listed()[0]) == "entry 1: changed: its columns are not what its text says"
