"""Loading: every fault of the files is found, at its place, with its fix; and a sound policy is read as it is meant."""

from __future__ import annotations

import datetime as dt
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.holdfast.policy import bad_files, shop
from tests.holdfast.policy.shop import Edit, Expected, agrees, edited, policy_of, write

from holdfast.errors import PolicyError
from holdfast.policy.load import load_policy, load_revision, load_variant
from holdfast.policy.problems import Check, PolicyRefused, Problem


def test_the_small_policy_is_sound() -> None:
    policy = policy_of(shop.TEXTS)
    assert policy.holds_of("purchases-6y") == ("COURT", "UNPAID")
    assert policy.holds_of("photos-90d") == ("COURT", "UNPAID")
    assert policy.data_map.exemptions["shop.turnover"].review_by == dt.date(2030, 6, 30)
    assert policy.data_map.datasets["items"].key == ("purchase_id", "line_no")


@pytest.mark.parametrize(
    ("edits", "expected"), [case[1:] for case in bad_files.CASES], ids=[case[0] for case in bad_files.CASES]
)
def test_each_fault_is_named_with_place_and_fix(edits: tuple[Edit, ...], expected: tuple[Expected, ...]) -> None:
    texts = edited(*edits)
    with pytest.raises(PolicyRefused) as refused:
        policy_of(texts)
    agrees(refused.value.problems, expected, texts)


def test_all_faults_of_all_files_are_told_at_once() -> None:
    texts = edited(
        Edit("data_map.yaml", "version: 1", "version: 2"),
        Edit("holds.yaml", "max_shrink: 0.5", "max_shrink: 1.5"),
        Edit("retention_schedule.yaml", "share: 0.1", "share: -1"),
        Edit("retention_schedule.yaml", "    law: Claims out of the contract.\n", ""),
    )
    with pytest.raises(PolicyRefused) as refused:
        policy_of(texts)
    found = [(p.file, p.path) for p in refused.value.problems]
    assert found == [
        ("data_map.yaml", "version"),
        ("holds.yaml", "sources.till.max_shrink"),
        ("retention_schedule.yaml", "caps.share"),
        ("retention_schedule.yaml", "rules.customers-2y.law"),
    ]
    assert refused.value.facts == {"problems": 4}
    assert str(refused.value).startswith("4 problems in the policy; the first is P012 at data_map.yaml:1 version:")
    assert "holdfast policy check" in str(refused.value)


def test_a_file_that_is_missing_or_not_text_is_named(tmp_path: Path) -> None:
    folder = write(tmp_path / "policy", shop.TEXTS)
    (folder / "holds.yaml").unlink()
    (folder / "data_map.yaml").write_bytes(b"version: 1\nschemas: [caf\xe9]\n")
    with pytest.raises(PolicyRefused) as refused:
        load_policy(folder)
    found = {Path(p.file).name: (p.rule, p.line, p.what, p.fix) for p in refused.value.problems}
    assert found == {
        "data_map.yaml": (Check.UNREADABLE, 1, "byte 24 is not UTF-8.", "save the file as UTF-8."),
        "holds.yaml": (
            Check.UNREADABLE,
            1,
            "the file cannot be read (No such file or directory).",
            "restore the file, or correct the folder.",
        ),
    }


@pytest.mark.parametrize("text", ["", "# nothing\n", "just words\n", "- a\n- list\n"])
def test_a_file_without_entries_is_no_policy(text: str) -> None:
    with pytest.raises(PolicyRefused) as refused:
        policy_of({**shop.TEXTS, "holds.yaml": text})
    assert [(p.file, p.rule) for p in refused.value.problems] == [("holds.yaml", Check.UNFIT_VALUE)]


# --- digest -----------------------------------------------------------------------------------------------------


def _commented(text: str, places: set[int]) -> str:
    lines = text.splitlines()
    for place in sorted(places, reverse=True):
        lines.insert(place % (len(lines) + 1), "      # a remark")
    return "\n".join(lines) + "\n"


@settings(deadline=None, max_examples=30)  # reading YAML takes a tenth of a second
@given(places=st.sets(st.integers(0, 200), max_size=12))
def test_comments_change_neither_digest_nor_meaning_but_lines(places: set[int]) -> None:
    plain, commented = policy_of(shop.TEXTS), policy_of({n: _commented(t, places) for n, t in shop.TEXTS.items()})
    assert commented.digest == plain.digest
    assert commented == plain
    text = _commented(shop.SCHEDULE, places).splitlines()
    assert text[commented.places.line(("schedule", "rules", "photos-90d")) - 1] == "  photos-90d:"


def test_the_digest_is_of_what_is_said_whatever_the_order_and_the_layout() -> None:
    reordered = edited(
        Edit(
            "holds.yaml",
            "    max_age_hours: 30\n    max_shrink: 0.5\n",
            "    max_shrink: 0.50\n    max_age_hours: 30\n",
        ),
        Edit("data_map.yaml", "key: [photo_id]", "key:\n      - photo_id"),
    )
    assert policy_of(reordered).digest == policy_of(shop.TEXTS).digest
    changed = edited(Edit("holds.yaml", "max_age_hours: 30", "max_age_hours: 31"))
    assert policy_of(changed).digest != policy_of(shop.TEXTS).digest


# --- whatever is written ------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_any_damage_gives_a_policy_or_a_refusal_and_no_other_error(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(shop.TEXTS)))
    text = shop.TEXTS[name]
    first = data.draw(st.integers(0, len(text)))
    last = data.draw(st.integers(first, min(len(text), first + 40)))
    put = data.draw(
        st.sampled_from(["", " ", "\n", ":", "- ", "{", "]", "&a ", "*a", "!!x ", "<<: ", "0", "\x00", "é"])
        | st.text(max_size=5)
    )
    damaged = (text[:first] + put + text[last:]).encode("utf-8", "replace").decode()
    for problem in _problems({**shop.TEXTS, name: damaged}):
        assert problem.line >= 1
        assert problem.what
        assert problem.fix


def _problems(texts: dict[str, str]) -> tuple[Problem, ...]:
    try:
        policy_of(texts)
    except PolicyRefused as refused:
        return refused.problems
    return ()


# --- other sources ------------------------------------------------------------------------------------------------


def _git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)


def test_a_revision_is_read_as_it_was(tmp_path: Path) -> None:
    write(tmp_path / "policy", shop.TEXTS)
    _git(tmp_path, "init", "-q")
    _git(tmp_path, "add", ".")
    _git(tmp_path, "commit", "-q", "-m", "First")
    write(tmp_path / "policy", edited(Edit("retention_schedule.yaml", "period: P90D", "period: P30D")))
    then, now = load_revision(tmp_path, "HEAD", "policy"), load_policy(tmp_path / "policy")
    assert str(then.period_of("photos-90d")) == "P90D"
    assert str(now.period_of("photos-90d")) == "P30D"
    assert load_revision(tmp_path / "policy", "HEAD", ".").digest == then.digest
    assert then.places.file("schedule") == "HEAD:policy/retention_schedule.yaml"


@pytest.mark.parametrize("rev", ["no-such-revision", "--help"])
def test_a_revision_that_is_not_there_is_refused(tmp_path: Path, rev: str) -> None:
    _git(tmp_path, "init", "-q")
    with pytest.raises(PolicyError, match="There is no policy at") as refused:
        load_revision(tmp_path, rev, "policy")
    assert "main~1" in refused.value.fix


def test_one_file_under_any_name_replaces_its_document(tmp_path: Path) -> None:
    folder = write(tmp_path / "policy", shop.TEXTS)
    draft = tmp_path / "draft.yaml"
    draft.write_text(shop.SCHEDULE.replace("P90D", "P30D"))
    assert str(load_variant(folder, draft).period_of("photos-90d")) == "P30D"
    draft.write_text("version: 1\n")
    with pytest.raises(PolicyError, match="none of the documents of a policy") as refused:
        load_variant(folder, draft)
    assert "retention_schedule.yaml" in refused.value.fix
