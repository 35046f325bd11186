"""The inbox: whatever is dropped there, good rows are taken in, bad ones told with their line, and nothing is lost."""

from __future__ import annotations

import csv
import datetime as dt
import os
import random
import signal
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.holdfast.deletion_requests.desk import NOW, Desk, policy, terms

from holdfast import queries, settings
from holdfast.deletion_requests import intake, intake_file
from holdfast.deletion_requests.intake import FileResult
from holdfast.deletion_requests.intake_file import BadRow, FileRefused, GoodRow
from holdfast.errors import RequestError

HEADER = "reference,channel,received_at,subject_key,scope"
DAY = dt.timedelta(days=1)


def row(reference: str, subject: str = "1", scope: str = "messages", channel: str = "form") -> str:
    return f"{reference},{channel},2026-09-02 10:00,{subject},{scope}"


def text(*rows: str) -> str:
    return "\n".join((HEADER, *rows)) + "\n"


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


def drop(inbox: Path, content: str | bytes, name: str = "list.csv") -> Path:
    path = inbox / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def take_in(desk: Desk, inbox: Path, now: dt.datetime = NOW) -> list[FileResult]:
    return intake.take_in(desk.engine, policy(), terms(), inbox, by="clerk", now=now)


def told(result: FileResult) -> list[dict[str, str]]:
    """The result, row by row."""
    with result.result.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def short(result: FileResult) -> list[tuple[str, str, str]]:
    return [(one["line"], one["outcome"], one["rule"]) for one in told(result)]


def references(desk: Desk) -> list[str]:
    return [one.reference for one in desk.sql("SELECT reference FROM holdfast.deletion_request ORDER BY request_id")]


def test_good_rows_are_taken_in_and_bad_ones_told_with_line_rule_and_fix(desk: Desk, inbox: Path) -> None:
    rows = [
        row("a-1"),
        row("a-2", subject="99"),
        '"a-3",form,2026-09-02 10:00,"2","messages;contacts"',
        row("a-4", scope="=cmd()"),
        "a-5,form,2026-09-02",
        "",
        row("a-6") + ",extra",
        row("a-7", channel="fax", scope="nowhere"),
        '"a-8,form,2026-09-02 10:00,1,messages',
        row("a-9", subject="1\x00"),
        row("a-10", scope="m" * 3_000),
        row("a-11", scope="m" * 9_000),
        row("a-1"),
        row("a-1", subject="2"),
        row("a-12", subject="1", scope="account"),
    ]
    original = drop(inbox, text(*rows)).read_bytes()
    [result] = take_in(desk, inbox)
    assert (result.name, result.is_refused, result.new, result.known, result.refused) == ("list.csv", False, 3, 1, 10)
    assert short(result) == [
        ("2", "taken in", ""),
        ("3", "refused", "R301"),
        ("4", "taken in", ""),
        ("5", "refused", "R205"),
        ("6", "refused", "R103"),
        ("8", "refused", "R103"),
        ("9", "refused", "R207"),
        ("9", "refused", "R209"),
        ("10", "refused", "R102"),
        ("11", "refused", "R204"),
        ("12", "refused", "R202"),
        ("13", "refused", "R101"),
        ("14", "known before", ""),
        ("15", "refused", "R303"),
        ("16", "taken in", ""),
    ]
    assert references(desk) == ["a-1", "a-3", "a-12"]
    assert (told(result)[-1]["request"], told(result)[-1]["duplicate of"]) == ("3", "1")
    assert all(one["what"] and one["fix"] for one in told(result) if one["outcome"] == "refused")
    assert list(inbox.glob("*.csv")) == []
    assert result.result.parent == inbox / "done"
    assert result.result.with_name(result.result.name.removesuffix(".result.csv")).read_bytes() == original
    kind, facts = desk.entries()[-1]
    assert (kind, facts["new"], facts["known"], facts["refused"]) == ("request_file_taken_in", 3, 1, 10)


LIST = text(row("a-1"), row("a-2", subject="2"))
OTHER_ORDER = """\
scope, subject_key,reference,received_at,channel
messages,1,a-1,2026-09-02,form
messages,2,a-2,2026-09-02,post
"""
OPTIONAL = f"""\
{HEADER},identity_confirmed_at
{row("a-1")},
{row("a-2", subject="2")},2026-09-02
"""


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(LIST.encode("utf-8-sig"), id="utf-8 with mark"),
        pytest.param(b"\xff\xfe" + LIST.encode("utf-16-le"), id="utf-16-le"),
        pytest.param(b"\xfe\xff" + LIST.encode("utf-16-be"), id="utf-16-be"),
        pytest.param(LIST.replace("\n", "\r\n").encode(), id="crlf"),
        pytest.param(LIST.replace("\n", "\r").encode(), id="cr"),
        pytest.param(LIST.rstrip("\n").encode(), id="no last line end"),
        pytest.param(LIST.replace("\n", "\n  \n\n").encode(), id="empty lines"),
        pytest.param(OTHER_ORDER.encode(), id="other order"),
        pytest.param(OPTIONAL.encode(), id="optional columns"),
    ],
)
def test_the_same_list_however_it_is_saved(desk: Desk, inbox: Path, content: bytes) -> None:
    drop(inbox, content)
    [result] = take_in(desk, inbox)
    assert (result.is_refused, result.new, result.refused) == (False, 2, 0)
    assert references(desk) == ["a-1", "a-2"]


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
def test_bytes_that_are_not_utf_8_cost_their_row_alone(desk: Desk, inbox: Path, encoding: str) -> None:
    content = text(row("a-1")).encode() + row("café-2").encode(encoding) + b"\n" + row("a-3", "2").encode() + b"\n"
    drop(inbox, content)
    [result] = take_in(desk, inbox)
    assert short(result) == [("2", "taken in", ""), ("3", "refused", "R203"), ("4", "taken in", "")]


@pytest.mark.parametrize(
    ("name", "content", "rule"),
    [
        ("list.xlsx", b"PK\x03\x04", "R001"),
        ("list", b"reference", "R001"),
        ("list.csv", b"", "R004"),
        ("list.csv", b"\n\n", "R004"),
        ("list.csv", row("a-1").encode(), "R004"),
        ("list.csv", HEADER.replace(",", ";").encode() + b"\n", "R004"),
        ("list.csv", HEADER.replace(",", "\t").encode() + b"\n", "R004"),
        ("list.csv", HEADER.replace("scope", "Scope").encode() + b"\n", "R004"),
        ("list.csv", HEADER.replace(",scope", "").encode() + b"\n", "R004"),
        ("list.csv", HEADER.encode() + b",scope\n", "R004"),
        ("list.csv", HEADER.encode() + b",telephone\n", "R004"),
        ("list.csv", f'"{HEADER}\n'.encode(), "R004"),
        ("list.csv", text(row("a-1")).encode("utf-16-le"), "R001"),
        ("list.csv", text(row("a-1")).encode("utf-32"), "R001"),
        ("list.csv", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 50, "R004"),
        ("list.csv", bytes(100_000), "R004"),
        ("list.csv", b"x" * 100_000, "R004"),
    ],
)
def test_what_is_no_list_is_set_aside_whole(busy_desk: Desk, inbox: Path, name: str, content: bytes, rule: str) -> None:
    before = references(busy_desk), busy_desk.entries()
    drop(inbox, content, name)
    [result] = take_in(busy_desk, inbox)
    assert result.is_refused
    assert short(result) == [("0", "refused", rule)]
    assert told(result)[0]["fix"]
    assert result.result.parent == inbox / "refused"
    assert result.result.with_name(result.result.name.removesuffix(".result.csv")).read_bytes() == content
    assert (references(busy_desk), busy_desk.entries()) == before


def test_a_list_without_rows_is_a_list(desk: Desk, inbox: Path) -> None:
    drop(inbox, HEADER)
    [result] = take_in(desk, inbox)
    assert (result.is_refused, told(result)) == (False, [])


def test_the_same_file_again_adds_nothing(desk: Desk, inbox: Path) -> None:
    content = text(row("a-1"), row("a-2", subject="2"))
    drop(inbox, content)
    take_in(desk, inbox)
    entries = [kind for kind, _ in desk.entries()]
    drop(inbox, content, "other name.csv")
    [result] = take_in(desk, inbox, NOW + DAY)
    assert (result.is_refused, result.new, result.known, result.refused) == (False, 0, 2, 0)
    assert told(result)[0]["what"].startswith("the same file was taken in at 2026-09-03T08:30:00")
    assert [kind for kind, _ in desk.entries()] == [*entries, "request_file_taken_in"]
    assert references(desk) == ["a-1", "a-2"]


def test_a_file_with_refused_rows_may_come_again_and_the_rest_is_known(desk: Desk, inbox: Path) -> None:
    content = text(row("a-1"), row("a-2", subject="50"))
    drop(inbox, content)
    assert take_in(desk, inbox)[0].refused == 1
    desk.sql(
        "INSERT INTO provider.account (account_id, kind, status, opened_at) VALUES (50, 'business', 'active', now())"
    )
    drop(inbox, content)
    [result] = take_in(desk, inbox)
    assert short(result) == [("2", "known before", ""), ("3", "taken in", "")]
    drop(inbox, content)
    assert take_in(desk, inbox)[0].known == 2


def test_several_files_and_what_is_none(desk: Desk, inbox: Path, tmp_path: Path) -> None:
    drop(inbox, text(row("b-1")), "b.csv")
    drop(inbox, text(row("a-1")), "A.CSV")
    for name in (".hidden.csv", "upload.csv.part", "c.tmp"):
        drop(inbox, "x", name)
    (inbox / "folder.csv").mkdir()
    (tmp_path / "elsewhere.csv").write_text(text(row("c-1")), encoding="utf-8")
    (inbox / "link.csv").symlink_to(tmp_path / "elsewhere.csv")
    assert [result.name for result in take_in(desk, inbox)] == ["A.CSV", "b.csv"]
    assert references(desk) == ["a-1", "b-1"]
    left = {path.name for path in inbox.iterdir()}
    assert left == {".hidden.csv", "upload.csv.part", "c.tmp", "folder.csv", "link.csv", "done", "refused"}
    assert take_in(desk, inbox) == []


@pytest.mark.parametrize("name", ["x" * 251 + ".csv", "名" * 83 + ".csv", "a b'\n;.csv", "-rf.csv", "=cmd.csv"])
def test_any_name_that_a_file_may_have(busy_desk: Desk, inbox: Path, name: str) -> None:
    reference = f"name-{len(references(busy_desk))}"
    for number in range(2):
        drop(inbox, text(row(f"{reference}-{number}")), name)
        [result] = take_in(busy_desk, inbox)
        assert (result.name, result.new) == (name, 1)
    assert len(list((inbox / "done").iterdir())) == 4


def test_files_are_kept_as_long_as_the_policy_says(desk: Desk, inbox: Path) -> None:
    drop(inbox, text(row("a-1")))
    drop(inbox, "x", "other.csv")
    take_in(desk, inbox)
    (inbox / "done" / "note.txt").write_text("kept by a person", encoding="utf-8")
    kept = terms().rules.intake.keep_files_days
    take_in(desk, inbox, NOW + kept * DAY)
    assert len(list((inbox / "done").iterdir())) + len(list((inbox / "refused").iterdir())) == 5
    take_in(desk, inbox, NOW + kept * DAY + dt.timedelta(seconds=1))
    assert [path.name for path in (*(inbox / "done").iterdir(), *(inbox / "refused").iterdir())] == ["note.txt"]


def test_nobody_else_reads_what_was_dropped_and_results_name_nobody(desk: Desk, inbox: Path) -> None:
    drop(inbox, text(row("a-1", subject="7"), row("a-2", subject="71632"), row("a-3", scope="Zerlina")))
    [result] = take_in(desk, inbox)
    assert result.result.stat().st_mode & 0o777 == 0o600
    for folder in ("done", "refused"):
        assert (inbox / folder).stat().st_mode & 0o777 == 0o700
    content = result.result.read_text(encoding="utf-8-sig")
    assert "71632" not in content
    assert "Zerlina" not in content


def test_one_intake_at_a_time(desk: Desk, inbox: Path) -> None:
    drop(inbox, text(row("a-1")))
    with desk.engine.connect() as another:
        assert queries.run(another, "deletion_requests/intake_lock").scalar_one()
        with pytest.raises(RequestError, match="Another intake"):
            take_in(desk, inbox)
        queries.run(another, "deletion_requests/intake_unlock")
    assert [result.new for result in take_in(desk, inbox)] == [1]


CRASHING = """
import datetime as dt, sys
from pathlib import Path
from tests.holdfast.deletion_requests.desk import policy, terms
from holdfast import database
from holdfast.deletion_requests import intake
intake.take_in(database.engine_for(sys.argv[1]), policy(), terms(), Path(sys.argv[2]), by="clerk",
               now=dt.datetime.fromisoformat(sys.argv[3]))
"""


def test_an_intake_that_is_killed_loses_nothing_and_doubles_nothing(desk: Desk, inbox: Path) -> None:
    rows = 4_000
    drop(inbox, text(*(row(f"k-{n}", subject=str(1 + n % 9)) for n in range(rows))))
    count = "SELECT count(*) AS n FROM holdfast.deletion_request"
    url = desk.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", CRASHING, url, str(inbox), NOW.isoformat()]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(["plugins", "."])}
    with subprocess.Popen(command, env=environment, cwd=settings.load().project) as process:
        while desk.sql(count)[0].n < 500:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    taken = desk.sql(count)[0].n
    assert 500 <= taken < rows
    assert (inbox / "list.csv").exists()
    [result] = take_in(desk, inbox)
    assert (result.new, result.known, result.refused) == (rows - taken, taken, 0)
    assert desk.sql(count)[0].n == rows
    kinds = [kind for kind, _ in desk.entries()]
    assert (kinds.count("request_received"), kinds.count("request_file_taken_in")) == (rows, 1)


# Rubbish: what it may cost, in seconds and in bytes of memory. The machine that runs this may be busy.
SECONDS, MEMORY = 60, 30 << 20


def rubbish(kind: str, size: int) -> bytes:
    header = f"{HEADER}\n".encode()
    if kind == "random bytes":
        return header + random.Random(3).randbytes(size)
    if kind == "one line":
        return header + b"a" * size
    if kind == "an open quotation mark":
        return header + b'"' + b"a,b,c\n" * (49_000) + b"x" * (size - 300_000)
    return header + b"\x00" * size


@pytest.mark.parametrize("kind", ["random bytes", "one line", "an open quotation mark", "nul bytes"])
def test_rubbish_of_any_kind_costs_bounded_time_and_memory(tmp_path: Path, kind: str) -> None:
    path = drop(tmp_path, rubbish(kind, 31 << 20))
    tracemalloc.start()
    began = time.monotonic()
    try:
        examined = intake_file.examine(path, terms().rules.intake)
        rows = sum(isinstance(one, (GoodRow, BadRow)) for one in intake_file.read(examined, policy(), terms(), NOW))
    except FileRefused:
        rows = 0
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert rows <= terms().rules.intake.max_rows
    assert time.monotonic() - began < SECONDS
    assert peak < MEMORY


def test_a_hundred_megabytes_are_refused_unread(desk: Desk, inbox: Path) -> None:
    path = drop(inbox, text(row("a-1")))
    os.truncate(path, 100 << 20)
    began = time.monotonic()
    [result] = take_in(desk, inbox)
    assert time.monotonic() - began < SECONDS / 10
    assert short(result) == [("0", "refused", "R002")]
    assert "100 MiB, and 32 are allowed" in told(result)[0]["what"]
    assert result.result.with_name(result.result.name.removesuffix(".result.csv")).stat().st_size == 100 << 20
    assert references(desk) == []


def test_more_rows_than_allowed_are_refused_before_any_is_taken(desk: Desk, inbox: Path) -> None:
    drop(inbox, text(*(row(f"r-{n}") for n in range(terms().rules.intake.max_rows + 1))))
    [result] = take_in(desk, inbox)
    assert short(result) == [("0", "refused", "R003")]
    assert references(desk) == []


def test_the_file_as_a_whole_fits_its_bounds_exactly(tmp_path: Path) -> None:
    bounds = terms().rules.intake.model_copy(update={"max_rows": 2})
    assert intake_file.examine(drop(tmp_path, text(row("a"), row("b"))), bounds).encoding == "utf-8-sig"
    with pytest.raises(FileRefused, match="more than 2 rows"):
        intake_file.examine(drop(tmp_path, text(row("a"), row("b"), row("c"))), bounds)


def test_lines_of_the_longest_length_are_read_whole(tmp_path: Path) -> None:
    limit = intake_file.MAX_LINE
    lines = ["x" * (limit - 1), "x" * limit, "x" * (limit + 1), "x" * 3 * limit, "x" * limit, "y"]
    path = drop(tmp_path, text(*lines))
    examined = intake_file.examine(path, terms().rules.intake)
    found = [one for one in intake_file.read(examined, policy(), terms(), NOW) if isinstance(one, BadRow)]
    assert [(one.line, one.faults[0].check) for one in found] == [
        (2, "R103"), (3, "R103"), (4, "R101"), (5, "R101"), (6, "R103"), (7, "R103"),
    ]  # fmt: skip


def test_a_database_that_fails_leaves_the_file_where_it_is(desk: Desk, inbox: Path) -> None:
    drop(inbox, text(row("a-1")))
    desk.sql("ALTER TABLE provider.account RENAME TO gone")
    with pytest.raises(sa.exc.ProgrammingError):
        take_in(desk, inbox)
    desk.sql("ALTER TABLE provider.gone RENAME TO account")
    assert [result.new for result in take_in(desk, inbox)] == [1]
