"""Files: written and read back, refused whole for every fault, and never a word of what stands in them."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.holdfast.emergency_data.conftest import BOUNDS, DAY, FIXED, FOLDER, PLAIN, PROVIDER
from tests.holdfast.emergency_data.damage import KINDS

from holdfast.emergency_data import file_checks, formatting, layout_files, staging, writing
from holdfast.emergency_data.layout import Layout
from holdfast.emergency_data.scan import Finding, Scan, scan
from holdfast.errors import ExtractRefused, LayoutError
from holdfast.synthetic import emergency as synthetic

NOW = dt.datetime(2026, 11, 24, 6, 0, tzinfo=dt.UTC)
HEAD = writing.Head(PROVIDER, 7, 6, "FULL", DAY, dt.datetime(2026, 11, 24, 2, 0, tzinfo=dt.UTC))
BOTH = pytest.mark.parametrize("kind", [PLAIN, FIXED], ids=lambda kind: kind.layout)


def extract(folder: Path, kind: Layout, records: int = 30) -> Path:
    return synthetic.write_extract(folder, kind, HEAD, (synthetic.record(n, DAY) for n in range(records))).path


def load(engine: sa.Engine, path: Path, kind: Layout, seen: Scan, extract_id: int = 1) -> list[Finding]:
    try:
        with engine.begin() as connection:
            staging.drop(connection, extract_id)
            return staging.counts_differ(connection, staging.load(connection, extract_id, path, kind, seen), seen)
    except ExtractRefused as refused:
        finding = refused.facts["finding"]
        assert isinstance(finding, Finding)
        return [finding]


def judged(engine: sa.Engine, path: Path, kind: Layout) -> list[str]:
    """The rules that a file breaks, all the way to its table."""
    seen = scan(path, kind)
    return [one.rule_id for one in seen.findings or load(engine, path, kind, seen)]


@BOTH
def test_a_file_comes_back_as_it_was_written(database: sa.Engine, tmp_path: Path, kind: Layout) -> None:
    path = extract(tmp_path / "in", kind)
    seen = scan(path, kind)
    assert seen.findings == []
    assert (seen.records, seen.header["sequence"], seen.trailer["inserts"]) == (30, 7, 30)
    assert load(database, path, kind, seen) == []
    table = staging.table_of(1)
    with database.begin() as connection:
        rows = connection.execute(sa.select(table).order_by(table.c.record_no)).mappings().all()
        expected = [
            {name: value or None for name, value in synthetic.record(n, DAY).items()} | {"record_no": n + 1}
            for n in range(30)
        ]
        assert [dict(row) for row in rows] == expected
        names = [field.name for field in kind.detail.fields if field.name]
        chosen = sa.select(*(table.c[name] for name in names)).order_by(table.c.record_no)
        totals = writing.Totals(30, 30, 0, 0, int(str(seen.trailer["control_total"])))
        lines = formatting.details(connection, chosen, kind)
        again = writing.write(tmp_path / "out", kind, HEAD, totals, lines)
    assert again.path.name == path.name
    assert again.path.read_bytes() == path.read_bytes()


def test_values_with_separators_and_quotes_survive(database: sa.Engine, tmp_path: Path) -> None:
    record = synthetic.record(1, DAY) | {"name": 'THE "OLD" INN, NORTH', "premises": "'1'"}
    path = synthetic.write_extract(tmp_path, PLAIN, HEAD, [record]).path
    assert load(database, path, PLAIN, scan(path, PLAIN)) == []
    with database.begin() as connection:
        row = connection.execute(sa.select(staging.table_of(1))).mappings().one()
    assert (row["name"], row["premises"]) == ('THE "OLD" INN, NORTH', "'1'")


def replaced(old: bytes, new: bytes, count: int = 1) -> Callable[[bytes], bytes]:
    return lambda content: content.replace(old, new, count)


def without_line(number: int) -> Callable[[bytes], bytes]:
    def change(content: bytes) -> bytes:
        lines = content.splitlines(keepends=True)
        return b"".join(lines[:number] + lines[number:][1:])

    return change


BROKEN: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "empty": ("F017", lambda content: b""),
    "no header": ("F001", without_line(0)),
    "unknown version": ("F001", replaced(b"HDR,1,", b"HDR,2,")),
    "no trailer": ("F005", lambda content: content[: content.rindex(b"TRL")]),
    "trailer with a wrong checksum": ("F005", lambda content: content[:-100] + b"\r\n"),
    "one record less": ("F006", without_line(5)),
    "one byte changed": ("F008", replaced(b"EXAMPLETON", b"EXAMPLETOM")),
    "cut off": ("F015", lambda content: content[: len(content) // 2]),
    "an accent": ("F014", replaced(b"EXAMPLETON", "EXAMPL\u00c9TON".encode("latin-1"))),
    "a NUL": ("F014", replaced(b"EXAMPLETON", b"EXAMPLE\0ON")),
    "bare line feeds": ("F018", lambda content: content.replace(b"\r\n", b"\n") * 20),
    "a line feed inside": ("F014", replaced(b"EXAMPLETON", b"EXAMPLE\nON")),
    "a line that is no record": ("F016", replaced(b"DTL,3,", b"XXX,3,")),
    "a huge line": ("F018", replaced(b"EXAMPLETON", b"E" * 2_000_000)),
    "two headers": ("F016", lambda content: content.replace(b"\r\n", b"\r\nHDR,1\r\n", 1)),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_refused_for_its_reason(database: sa.Engine, tmp_path: Path, name: str) -> None:
    rule_id, change = BROKEN[name]
    path = extract(tmp_path, PLAIN)
    path.write_bytes(change(path.read_bytes()))
    seen = scan(path, PLAIN)
    assert rule_id in [one.rule_id for one in seen.findings]
    assert not any("EXAMPL" in str(one) for one in seen.findings)
    assert "sha256" in vars(seen)
    assert len(seen.sha256) == 64


def test_a_byte_that_is_not_allowed_is_named_by_line_and_column(tmp_path: Path) -> None:
    path = extract(tmp_path, PLAIN)
    lines = path.read_bytes().split(b"\r\n")
    lines[7] = lines[7][:40] + b"\xe9" + lines[7][41:]
    path.write_bytes(b"\r\n".join(lines))
    assert scan(path, PLAIN).findings == [Finding("F014", "byte_not_allowed", 8, "41")]


@pytest.mark.parametrize("cells", [1, -1], ids=["too many", "missing"])
def test_a_record_with_other_columns_is_found_while_loading_and_leaves_nothing(
    database: sa.Engine, tmp_path: Path, cells: int
) -> None:
    lines = next(synthetic.detail_lines(PLAIN, (synthetic.record(n, DAY) for n in range(9)))).split(b"\r\n")
    lines[4] = lines[4] + b",x" if cells > 0 else lines[4].rpartition(b",")[0]
    totals = writing.Totals(9, 9, 0, 0, 0)
    path = writing.write(tmp_path, PLAIN, HEAD, totals, [b"\r\n".join(lines)]).path
    seen = scan(path, PLAIN)
    assert seen.findings == []
    found = load(database, path, PLAIN, seen)
    assert [(one.rule_id, one.line) for one in found] == [("F016", 6)]
    with database.begin() as connection:
        assert not sa.inspect(connection).has_table("extract_1", schema="emergency")


def test_counts_and_control_total_are_compared_once_loaded(database: sa.Engine, tmp_path: Path) -> None:
    records = [synthetic.record(n, DAY) for n in range(3)]
    path = synthetic.write_extract(tmp_path, PLAIN, HEAD, records, writing.Totals(3, 2, 1, 0, 5)).path
    found = load(database, path, PLAIN, scan(path, PLAIN))
    assert [(one.rule_id, one.column) for one in found] == [
        ("F007", name) for name in ("inserts", "amends", "control_total")
    ]


def test_values_that_do_not_fit_fixed_widths_are_not_cut(database: sa.Engine, tmp_path: Path) -> None:
    with database.begin() as connection:
        rows = sa.select(
            *(
                sa.literal("X" * 61 if field.name == "premises" else "1").label(str(field.name))
                for field in FIXED.detail.fields
            )
        )
        with pytest.raises(ExtractRefused, match="premises"):
            list(formatting.details(connection, rows, FIXED))


def surroundings(seen: Scan, path: Path, last: int | None = 6, now: dt.datetime = NOW) -> list[str]:
    name = PLAIN.name_pattern.fullmatch(path.name)
    assert name is not None
    known = file_checks.Surroundings(last, now.date(), now)
    return [one.rule_id for one in file_checks.against_surroundings(seen, name, known, BOUNDS.file)]


def test_a_file_must_be_the_next_one_of_its_day(tmp_path: Path) -> None:
    path = extract(tmp_path, PLAIN)
    seen = scan(path, PLAIN)
    assert surroundings(seen, path) == []
    assert surroundings(seen, path, last=None) == []
    assert surroundings(seen, path, last=7) == ["F003"]
    assert surroundings(seen, path, last=3) == ["F003"]
    assert surroundings(seen, path, now=NOW + dt.timedelta(days=1)) == []
    assert surroundings(seen, path, now=NOW + dt.timedelta(days=2)) == ["F004", "F020"]
    assert surroundings(seen, path, now=NOW - dt.timedelta(days=1)) == ["F004", "F020"]
    renamed = path.with_name("NG999_XXX_20261123_000008.csv")
    assert surroundings(seen, renamed) == ["F002", "F019", "F019"]
    assert file_checks.comes_early(seen, file_checks.Surroundings(5, DAY, NOW))
    assert not file_checks.comes_early(seen, file_checks.Surroundings(6, DAY, NOW))


def test_a_full_extract_without_records_is_refused_and_an_empty_delta_is_not(tmp_path: Path) -> None:
    for extract_type, expected in (("FULL", ["F009"]), ("DELTA", [])):
        head = writing.Head(PROVIDER, 7, 6, extract_type, DAY, HEAD.generated_at)
        path = synthetic.write_extract(tmp_path, PLAIN, head, []).path
        seen = scan(path, PLAIN)
        assert seen.findings == []
        assert surroundings(seen, path) == expected


@BOTH
@pytest.mark.parametrize("what", KINDS)
def test_no_damage_goes_unseen_or_breaks_the_reader(
    database: sa.Engine, tmp_path: Path, kind: Layout, what: str
) -> None:
    """Whatever happens to the bytes, a file is either refused with a reason or is, byte for byte, what it was."""
    chance = random.Random(7)
    whole = extract(tmp_path / "whole", kind, 12).read_bytes()
    path = tmp_path / "damaged"
    for _ in range(10):
        damaged = KINDS[what](whole, chance)
        path.write_bytes(damaged)
        if damaged != whole and what != "another header":  # the name and the day will tell; see the drill of files
            assert judged(database, path, kind) != []


def test_a_file_of_another_encoding_is_not_taken_for_a_cut_one(tmp_path: Path) -> None:
    path = extract(tmp_path, PLAIN)
    path.write_bytes(path.read_bytes().decode("ascii").encode("utf-16"))
    assert scan(path, PLAIN).findings == [Finding("F014", "byte_not_allowed", 1, "1")]


ACTION = "{name: action,               column: action,               length: 1,  mandatory: true}"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("{provider}_{business_date}_{sequence}", "{provider}", "needs {provider} and {sequence}"),
        ("{name: postcode,  ", "{name: post_code,  ", "no field post_code"),
        ('allowed: "[ -~]"', 'allowed: "[^,]"', "must not take in line ends"),
        ("mark: TRL", "mark: DTL", "different marks"),
        ("length: 13, mandatory: true}", "length: 0}", "greater than or equal to 1"),
        ("line_end: crlf", "line_end: cr", "'crlf' or 'lf'"),
        ("owner: numbering\n", "", "owner: Field required"),
        ("owner: numbering", "owner: numbering\ncolour: red", "colour: Extra inputs"),
        ('separator: ","', 'separator: "A"', "a character that no value needs"),
        ('separator: ","', "separator: '\"'", "a character that no value needs"),
        ('"%Y-%m-%d"', '"%d %B %Y"', "needs %Y, %m and %d, once each"),
        ('"%Y-%m-%d"', '"%d/%m"', "needs %Y, %m and %d, once each"),
        ("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d", "must say day, hour and minute"),
        ("%Y-%m-%dT%H:%M:%SZ", "%Q", "must say day, hour and minute"),
        ("column: forename, ", "column: title,    ", "names a field or a column twice"),
        ("sequence_digits: 6", "sequence_digits: 9", "shorter than the 9 digits"),
        ("column: sha256,        length: 64", "column: sha256,        length: 32", "needs 64 characters"),
        ("length: 10, mandatory: true, kind: date", "length: 10, mandatory: true", "must be of the kind date"),
        ("length: 6,  mandatory: true, kind: number", "length: 6,  mandatory: true", "must be of the kind number"),
        (ACTION, "{name: action, column: action, length: 3, values: {ADD: I, DEL: Z}}", "Z is no code"),
        (ACTION, "{name: action, column: action, length: 3, values: {ADD: I}}", "for each of I, A, C"),
        (ACTION, "{name: action, column: action, length: 1, values: {ADD: I, MOD: A, DEL: C}}", "does not fit 1"),
    ],
)
def test_a_layout_that_is_wrong_is_refused_with_its_place(tmp_path: Path, old: str, new: str, message: str) -> None:
    shipped = (FOLDER / "layout_ng999_v1.yaml").read_text()
    assert old in shipped
    path = tmp_path / "layout_x.yaml"
    path.write_text(shipped.replace(old, new, 1))
    with pytest.raises(LayoutError, match=r"layout_x\.yaml:\d+") as refused:
        layout_files.load(path)
    assert message in str(refused.value)
