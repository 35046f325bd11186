"""What a person sees of it: `holdfast policy check`, `diff` and `schema`."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.holdfast.policy import shop
from tests.holdfast.policy.shop import Edit, edited, write
from typer.testing import CliRunner

from holdfast import settings
from holdfast.commands.policy import app

runner = CliRunner()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The small policy in the working folder."""
    monkeypatch.chdir(tmp_path)
    return write(tmp_path / "policy", shop.TEXTS)


def test_a_sound_policy_is_summed_up(folder: Path) -> None:
    result = runner.invoke(app, ["check", "--policy", "policy", "--files-only"])
    assert result.exit_code == 0
    assert "4 datasets, 4 rules, 2 hold types; no problem found." in result.output


def test_a_faulty_policy_is_shown_line_by_line(folder: Path) -> None:
    write(
        folder,
        edited(
            Edit("holds.yaml", "max_shrink: 0.5", "max_shrink: half"),
            Edit("holds.yaml", ": P6M\n    by_hand", ": 6M\n    by_hand"),
        ),
    )
    result = runner.invoke(app, ["check", "--policy", str(folder)])
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "policy/holds.yaml:8 types.COURT.review_after P012",
        "    '6M' is not an ISO 8601 period such as P6Y, P18M, P2W or P90D.",
        "    Fix: see the schema in policy/schema/ for what fits.",
        "policy/holds.yaml:21 sources.till.max_shrink P012",
        "    Input should be a valid number.",
        "    Fix: write a number, without quotes.",
        "2 problems.",
    ]


def test_the_database_is_checked_for_the_day_that_is_asked_for(
    folder: Path, empty_database: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(settings.DATABASE_URL, empty_database.url.render_as_string(hide_password=False))
    with empty_database.begin() as connection:
        connection.exec_driver_sql(shop.DATABASE)
    result = runner.invoke(app, ["check", "--policy", "policy", "--as-of", "2030-07-01"])
    assert result.exit_code == 1
    assert "policy/data_map.yaml:52 exemptions.shop.turnover.review_by P109" in result.stderr
    assert "Fix: sales looks again" in result.stderr


def test_a_difference_is_shown_against_a_folder_a_file_and_a_revision(folder: Path, tmp_path: Path) -> None:
    git = [
        "git",
        "-C",
        str(tmp_path),
        "-c",
        "user.name=T",
        "-c",
        "user.email=t@example.org",
        "-c",
        "commit.gpgsign=false",
    ]
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "First"]):
        subprocess.run([*git, *arguments], check=True, capture_output=True)
    write(tmp_path / "before", shop.TEXTS)
    write(folder, edited(Edit("retention_schedule.yaml", "period: P90D", "period: P30D")))
    for against in ("before", "before/retention_schedule.yaml", "HEAD"):
        result = runner.invoke(app, ["diff", "--files-only", "--policy", "policy", "--against", against])
        assert result.exit_code == 0, result.output
        assert result.stdout.splitlines() == [
            f"Old: {against}",
            "New: policy",
            "deletion class brief: changed",
            "    period: old P90D, new P30D",
            "Rows of photos are treated differently: rule photos-90d is changed.",
        ]


def test_the_direction_of_a_difference_is_said(folder: Path, tmp_path: Path) -> None:
    more = shop.HOLDS.replace("sources:\n", shop.HOLDS[shop.HOLDS.index("  UNPAID:") : shop.HOLDS.index("sources:")]
                              .replace("UNPAID", "UNSENT") + "sources:\n")  # fmt: skip
    write(tmp_path / "more", {**shop.TEXTS, "holds.yaml": more.replace("[UNPAID]", "[UNPAID, UNSENT]")})
    for old, new, side in (("more", "policy", "old"), ("policy", "more", "new")):
        result = runner.invoke(app, ["diff", "--files-only", "--policy", new, "--against", old])
        assert result.stdout.splitlines()[:2] == [f"Old: {old}", f"New: {new}"]
        assert f"hold type UNSENT: only in the {side} policy" in result.stdout.splitlines()


def test_rows_are_counted_for_each_side(
    folder: Path, tmp_path: Path, database: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(settings.DATABASE_URL, database.url.render_as_string(hide_password=False))
    with database.begin() as connection:
        connection.exec_driver_sql(shop.DATABASE)
        connection.exec_driver_sql(
            "INSERT INTO shop.customer VALUES ('c1');"
            "INSERT INTO shop.purchase VALUES (1, 'c1', now(), NULL, NULL, 'web');"
            "INSERT INTO shop.item VALUES (1, 1);"
            "INSERT INTO shop.photo VALUES (gen_random_uuid(), 1, 1, current_date - 60, 'memory://1')"
        )
    write(tmp_path / "before", edited(Edit("retention_schedule.yaml", "period: P90D", "period: P30D")))
    result = runner.invoke(app, ["diff", "--policy", "policy", "--against", "before"])
    assert result.stdout.splitlines()[-1] == (
        "photos: 0 rows are due under the new policy alone, 1 under the old alone."
    )


def test_no_difference_and_a_difference_in_words_are_said_to_be_that(folder: Path, tmp_path: Path) -> None:
    write(tmp_path / "before", shop.TEXTS)
    result = runner.invoke(app, ["diff", "--policy", "policy", "--against", "before"])
    assert result.stdout.splitlines()[-1] == "Both policies say the same."
    write(folder, edited(Edit("holds.yaml", "max_age_hours: 30", "max_age_hours: 31")))
    result = runner.invoke(app, ["diff", "--policy", "policy", "--against", "before"])
    assert result.stdout.endswith("No rule treats any row differently.\n")


def test_schemas_are_written_where_the_policy_is(folder: Path) -> None:
    result = runner.invoke(app, ["schema", "--policy", "policy"])
    assert result.stdout.splitlines() == [
        "policy/schema/data_map.json",
        "policy/schema/retention_schedule.json",
        "policy/schema/holds.json",
    ]


@pytest.mark.parametrize(
    ("spoilt", "what"),
    [
        (
            "{{ letter.nobody }}",
            "The letter cannot be made from policy/letters/refusal.html.j2, line 11: UndefinedError.",
        ),
        ("{% if %}", "The letter cannot be made from policy/letters/refusal.html.j2, line 11: TemplateSyntaxError."),
        (
            "<blink>No.</blink>",
            "The letter refusal cannot be printed because of policy/letters/refusal.html.j2, line 11: the element blink"
            " has no place in print.",
        ),
    ],
)
def test_a_letter_that_could_not_be_written_is_named_by_file_and_line(tmp_path: Path, spoilt: str, what: str) -> None:
    folder = tmp_path / "policy"
    shutil.copytree(settings.load().policy, folder)
    file = folder / "letters" / "refusal.html.j2"
    line = "<p>Legal ground: {{ words.REFUSALS[letter.refusal_reason].ground }}.</p>"
    text = file.read_text(encoding="utf-8")
    assert line in text
    file.write_text(text.replace(line, f"{line}\n{spoilt}"), encoding="utf-8")
    result = runner.invoke(app, ["check", "--policy", str(folder), "--files-only"])
    assert result.exit_code == 1
    assert result.stderr.splitlines()[0] == what


def test_words_that_a_rare_turn_needs_are_missed_before_it_is_taken(tmp_path: Path) -> None:
    folder = tmp_path / "policy"
    shutil.copytree(settings.load().policy, folder)
    words = folder / "letters" / "words.j2"
    words.write_text(
        words.read_text(encoding="utf-8").replace('"not_a_subject": {', '"no_subject": {'), encoding="utf-8"
    )
    result = runner.invoke(app, ["check", "--policy", str(folder), "--files-only"])
    assert result.exit_code == 1
    assert "policy/letters/refusal.html.j2, line 9" in result.stderr


def test_the_shipped_policy_is_sound_with_its_letters() -> None:
    result = runner.invoke(app, ["check", "--files-only"])
    assert (result.exit_code, result.stderr) == (0, "")
