"""Undo windows of several databases, and of several machines: each ledger has its own keys, on a disk that is named."""

from __future__ import annotations

import dataclasses
import secrets
from pathlib import Path

import pytest
from tests.holdfast.enforcement.undo.window import LAST, TAKEN, bring_back, kept, night, with_window
from tests.holdfast.retention.chain import ARCHIVE, Chain, add_archive
from tests.holdfast.retention.shop import OLD, Document, Shop

from holdfast import settings
from holdfast.errors import SettingsError
from holdfast.evidence import signing

KEY = "1-2024-03-09.key"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What HOLDFAST_UNDO_KEYS names: a disk of the keys' own."""
    monkeypatch.setenv(settings.UNDO_KEYS, str(tmp_path / "undo-keys"))
    return tmp_path / "undo-keys"


@pytest.fixture
def kept_chain(chain: Chain, folder: Path) -> Chain:
    """The morning after: run 1 of each database has taken its purchases, which are kept."""

    def with_windows(documents: dict[str, Document]) -> None:
        with_window(documents)
        add_archive(documents)

    chain.shop.set_policy(with_windows)
    chain.shop.purchases([1, 2], bought_on=TAKEN)
    sold = {"customer_no": 1, "bought_on": TAKEN}
    chain.archive.add("purchase", *({"purchase_id": one, **sold} for one in (1, 2, 3)))
    assert [one.night() for one in (chain.shop, chain.archive)] == [1, 1]
    return chain


def keys_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_runs_of_the_same_number_have_keys_in_folders_of_their_own(kept_chain: Chain, folder: Path) -> None:
    assert keys_in(folder) == [KEY, f"{ARCHIVE}/{KEY}"]
    assert (folder / KEY).read_bytes() != (folder / ARCHIVE / KEY).read_bytes()
    assert kept(kept_chain.shop) == {"2024-03-09": 2}
    assert kept(kept_chain.archive) == {"2024-03-09": 3}
    assert not (kept_chain.shop.settings.home / "keys" / "undo").exists()


@pytest.mark.parametrize(("first", "left"), [("shop", [f"{ARCHIVE}/{KEY}"]), ("archive", [KEY])])
def test_each_database_ends_its_own_windows_and_no_others(
    kept_chain: Chain, folder: Path, first: str, left: list[str]
) -> None:
    one, other = kept_chain.shop, kept_chain.archive
    if first == "archive":
        one, other = other, one
    one.night(night(LAST))
    assert keys_in(folder) == left
    assert kept(one) == {}
    assert kept(other) == {"2024-03-09": 3 if other is kept_chain.archive else 2}
    assert len(one.entries("undo_key_destroyed")) == 1
    assert other.entries("undo_key_destroyed") == []
    other.night(night(LAST))
    assert keys_in(folder) == []
    assert [each.verify_ledger().verdict for each in (one, other)] == ["ok", "ok"]


def test_what_one_database_kept_comes_back_there_alone(kept_chain: Chain) -> None:
    assert bring_back(kept_chain.archive, 1).rows == {"old-purchases": 3}
    assert kept_chain.archive.ids("purchase", "purchase_id") == {1, 2, 3}
    assert kept_chain.shop.ids("purchase", "purchase_id") == set()
    assert kept(kept_chain.shop) == {"2024-03-09": 2}


# --- several machines -------------------------------------------------------------------------------------------


@pytest.fixture
def shared_shop(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """The shop as one of several machines sees it: what they share is in an object store."""
    monkeypatch.setenv(settings.PSEUDONYM_KEY, "5" * 64)
    key = signing.SigningKey.generate("x").text()
    given = dataclasses.replace(shop.settings, store_url=f"memory://{secrets.token_hex(4)}", ledger_key_text=key)
    shop.purchases([1], bought_on=TAKEN)
    shop.add("visit", {"visit_id": 1, "customer_no": 1, "seen_at": "2023-10-05T00:00:00Z"})
    return dataclasses.replace(shop, settings=given)


def test_where_no_folder_is_named_nothing_is_deleted_by_any_rule(shared_shop: Shop) -> None:
    """Each machine would make keys of its own, and no other could read or destroy them."""
    with pytest.raises(SettingsError, match="no folder for its keys is named"):
        shared_shop.night()
    assert shared_shop.ids("purchase", "purchase_id") == {1}
    assert shared_shop.ids("visit", "visit_id") == {1}, "a rule without a window is in the same night"
    assert shared_shop.entries("batch_deleted", "partition_dropped") == []


def test_no_folder_is_needed_where_no_rule_has_a_window(shared_shop: Shop) -> None:
    shared_shop.set_policy()
    shared_shop.purchases([2], bought_on=OLD)
    shared_shop.night()
    assert shared_shop.ids("purchase", "purchase_id") == {1}


def test_where_one_is_named_the_keys_lie_there(shared_shop: Shop, folder: Path) -> None:
    shared_shop.night()
    assert keys_in(folder) == [KEY]
    assert shared_shop.ids("purchase", "purchase_id") == shared_shop.ids("visit", "visit_id") == set()
