"""Each file reaches its destination once and whole, over SFTP or in a folder, wherever an attempt dies."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import multiprocessing
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import paramiko
import pytest
import sqlalchemy as sa
from tests.holdfast.emergency_data.sftp_server import sftp_server

from holdfast import database as hf_database
from holdfast import settings
from holdfast.emergency_data import deliver, manifest, sftp
from holdfast.errors import DeliveryRefused, SettingsError

NOW = dt.datetime(2026, 11, 24, 6, 0, tzinfo=dt.UTC)


class Office:
    """Released files, and the folder that they are delivered to."""

    def __init__(self, engine: sa.Engine, folder: Path) -> None:
        self.engine = engine
        self.released, self.there = folder / "released", folder / "there"
        self.released.mkdir()
        self.there.mkdir()
        self.settings = dataclasses.replace(settings.load(), home=folder, outbox_connection=None)

    def release(self, sequence: int) -> str:
        name, content = f"NG999_HFT_20261124_{sequence:06d}.csv", f"the file {sequence}".encode()
        (self.released / name).write_bytes(content)
        with self.engine.begin() as connection:
            connection.execute(
                sa.text(
                    "WITH extract AS ("
                    "INSERT INTO emergency.extract"
                    " (sha256, file_name, provider, sequence, arrived_at, state, records, released, quarantined)"
                    " VALUES (:sha256, :name, 'HFT', :sequence, :now, 'released', 1, 1, 0) RETURNING extract_id)"
                    " INSERT INTO emergency.release"
                    " (extract_id, provider, sequence, file_name, sha256, records, released_at)"
                    " SELECT extract_id, 'HFT', :sequence, :name, :sha256, 1, :now FROM extract"
                ),
                {"sha256": hashlib.sha256(content).hexdigest(), "name": name, "sequence": sequence, "now": NOW},
            )
        return name

    def deliver(self, place: deliver.Place | None = None, reached: deliver.Reached = lambda point: None) -> int:
        return deliver.deliver(self.engine, self.released, place or self.place(), NOW, reached)

    def place(self) -> deliver.Place:
        import fsspec

        return deliver.Place(fsspec.filesystem("file"), str(self.there))

    def delivered(self) -> list[tuple[Any, ...]]:
        with self.engine.begin() as connection:
            rows = connection.execute(
                sa.text(
                    "SELECT sequence, destination FROM emergency.release WHERE delivered_at = :now ORDER BY sequence"
                ),
                {"now": NOW},
            )
            return [tuple(row) for row in rows]


@pytest.fixture
def office(database: sa.Engine, tmp_path: Path) -> Office:
    return Office(database, tmp_path)


def in_child(work: Callable[[], object]) -> int:
    """The exit code of a process that does this. It uses no connection of ours."""
    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    process.join(60)
    assert process.exitcode is not None
    return process.exitcode


def die_at(office: Office, point: str, place: Callable[[], deliver.Place]) -> None:
    url = office.engine.url.render_as_string(hide_password=False)

    def reached(found: str) -> None:
        if found == point:
            os.kill(os.getpid(), signal.SIGKILL)

    def work() -> None:
        deliver.deliver(hf_database.engine_for(url), office.released, place(), NOW, reached)

    assert in_child(work) == -signal.SIGKILL


@pytest.mark.parametrize("fetched", [False, True], ids=["still there", "fetched since"])
@pytest.mark.parametrize("point", ["put", "renamed"])
def test_a_file_is_sent_once_wherever_an_attempt_is_killed(office: Office, point: str, fetched: bool) -> None:
    name = office.release(1)
    die_at(office, point, office.place)
    assert office.delivered() == []
    if fetched and point == "renamed":
        (office.there / name).unlink()
    sent = []
    place = office.place()
    place.system.put_file = lambda *_, **__: sent.append(1)
    try:
        assert office.deliver(place) == 1
    finally:
        del place.system.put_file
    assert sent == [], "what was put is not put again"
    assert office.delivered() == [(1, "file")]
    assert sorted(path.name for path in office.there.iterdir()) == ([] if fetched and point == "renamed" else [name])
    assert office.deliver() == 0


def test_its_manifest_is_there_before_the_file_has_its_name(office: Office) -> None:
    name = office.release(1)
    said = manifest.of_file(office.released / name)
    said.write_text("of the file 1")
    (office.there / f"{said.name}.partial").write_text("of th")
    die_at(office, "put", office.place)
    assert sorted(path.name for path in office.there.iterdir()) == [said.name, f"{name}.partial"]
    assert office.deliver() == 1
    assert (office.there / said.name).read_text() == "of the file 1"
    assert sorted(path.name for path in office.there.iterdir()) == [name, said.name]


def test_an_attempt_that_dies_while_it_sends_is_followed_by_one_that_sends_anew(office: Office) -> None:
    name = office.release(1)
    (office.there / f"{name}.partial").write_text("half of th")
    assert office.deliver() == 1
    assert [path.read_text() for path in office.there.iterdir()] == ["the file 1"]


def test_files_go_in_the_order_of_their_numbers_and_none_passes_one_that_cannot_go(office: Office) -> None:
    names = [office.release(number) for number in (2, 1, 3)]
    (office.there / names[0]).write_text("somebody else's")
    with pytest.raises(DeliveryRefused, match="another file"):
        office.deliver()
    assert [number for number, _ in office.delivered()] == [1]
    (office.there / names[0]).unlink()
    assert office.deliver() == 2


def test_a_file_that_is_not_what_was_released_is_not_sent(office: Office) -> None:
    name = office.release(1)
    (office.released / name).write_text("something else")
    with pytest.raises(DeliveryRefused, match="not the file that was released"):
        office.deliver()
    assert list(office.there.iterdir()) == []


def test_two_attempts_at_once_send_a_file_once(office: Office) -> None:
    office.release(1)
    seen = []

    def other(point: str) -> None:
        if point == "put" and not seen:
            seen.append(point)
            assert office.deliver() == 1

    assert office.deliver(reached=other) == 0
    assert office.delivered() == [(1, "file")]


def test_files_are_delivered_over_sftp_to_the_server_that_the_connection_names(office: Office) -> None:
    names = [office.release(number) for number in (1, 2)]
    with sftp_server(office.there) as parts:
        place = deliver.place_of(dataclasses.replace(office.settings, outbox_connection=parts))
        assert office.deliver(place) == 2
        assert office.deliver(place) == 0
        (office.there / "in" / "999" / office.release(3)).write_text("somebody else's")
        with pytest.raises(DeliveryRefused, match="another file"):
            office.deliver(place)
    assert office.delivered() == [(1, "sftp"), (2, "sftp")]
    assert [(office.there / "in" / "999" / name).read_text() for name in names] == ["the file 1", "the file 2"]


@pytest.mark.parametrize("point", ["put", "renamed"])
def test_over_sftp_too_a_file_is_sent_once_wherever_an_attempt_is_killed(office: Office, point: str) -> None:
    name = office.release(1)
    with sftp_server(office.there) as parts:
        die_at(office, point, lambda: deliver.Place(*sftp.connect(parts)))
        if point == "renamed":
            (office.there / "in" / "999" / name).unlink()  # fetched
        assert office.deliver(deliver.Place(*sftp.connect(parts))) == 1
    assert office.delivered() == [(1, "sftp")]
    found = [path.name for path in (office.there / "in" / "999").iterdir()]
    assert found == ([] if point == "renamed" else [name])


def test_another_server_gets_nothing(office: Office) -> None:
    office.release(1)
    with sftp_server(office.there) as parts:
        other = paramiko.ECDSAKey.generate().get_base64()
        wrong = parts | {"extra": parts["extra"] | {"host_key": other}}
        with pytest.raises(SettingsError, match="not the one whose key"):
            deliver.place_of(dataclasses.replace(office.settings, outbox_connection=wrong))
    assert list(office.there.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"conn_type": "ftp"}, "of the type 'ftp'"),
        ({"host": ""}, "has no host"),
        ({"login": None}, "has no login"),
        ({"extra": {"host_key": "AAAA"}}, "has no path"),
        ({"extra": {"path": "/in"}}, "names no host_key"),
        ({"extra": {"path": "/in", "host_key": "ssh-rsa AAAA!"}}, "names no host_key"),
        ({"password": "wrong"}, "is refused by its server"),
        ({"private_key": "nonsense"}, "private_key that cannot be read"),
    ],
)
def test_a_connection_that_lacks_something_is_refused_and_nothing_of_it_told(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    with sftp_server(tmp_path) as parts:
        key = {name: change.pop(name) for name in ("private_key",) if name in change}
        with pytest.raises(SettingsError, match=message) as refused:
            sftp.connect(parts | change | ({"extra": parts["extra"] | key} if key else {}))
    assert "not-a-secret" not in str(refused.value)
    assert "wrong" not in str(refused.value)


def test_a_server_that_is_not_there_may_be_tried_again(tmp_path: Path) -> None:
    with sftp_server(tmp_path) as parts:
        pass
    with pytest.raises(OSError, match="Unable to connect") as failed:
        sftp.connect(parts)
    assert hf_database.may_pass(failed.value)


def test_the_connection_of_the_environment_decides(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert deliver.place_of(dataclasses.replace(settings.load(), home=tmp_path)).kind == "file"
    with sftp_server(tmp_path) as parts:
        extra = "&".join(f"{name}={value.replace(' ', '%20')}" for name, value in parts["extra"].items())
        uri = f"sftp://{parts['login']}:{parts['password']}@{parts['host']}:{parts['port']}/?{extra}"
        monkeypatch.setenv(settings.OUTBOX_CONNECTION, uri.replace("+", "%2B"))
        loaded = settings.load()
        assert "not-a-secret" not in repr(loaded)
        assert deliver.place_of(loaded).kind == "sftp"
