"""A server on another machine is spoken to over TLS, and only if each side knows the other; our own needs neither."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from holdfast import database, remote
from holdfast.errors import SettingsError

HERE = [
    "postgresql:///provider?host=/run/postgresql",
    "postgresql:///provider",
    "postgresql://keeper@localhost/provider",
    "postgresql://keeper@127.0.0.1:5433/provider",
    "postgresql://keeper@[::1]/provider",
]
ELSEWHERE = [
    "postgresql://keeper:s3cret@db.example/provider",
    "postgresql://keeper:s3cret@192.0.2.7/provider",
    "postgresql://keeper:s3cret@localhost/provider?hostaddr=192.0.2.7",
    "postgresql://keeper:s3cret@/provider?host=localhost:5432&host=db.example:5432",
    "postgresql://keeper:s3cret@/provider?host=localhost,db.example",
    "postgresql://keeper:s3cret@db.example/provider?hostaddr=127.0.0.1",
]


@pytest.mark.parametrize("url", HERE)
def test_this_machines_own_server_needs_no_encryption(url: str) -> None:
    assert remote.guard(sa.make_url(url)) == {}


@pytest.mark.parametrize("url", ELSEWHERE)
@pytest.mark.parametrize("mode", ["", "disable", "allow", "prefer"])
def test_another_machines_server_is_refused_unless_encryption_is_certain(url: str, mode: str) -> None:
    asked = sa.make_url(url).update_query_dict({"sslmode": mode} if mode else {})
    with pytest.raises(SettingsError, match="on another machine") as raised:
        database.engine_for(asked.render_as_string(hide_password=False))
    assert "sslmode=verify-full" in raised.value.fix
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize("url", ELSEWHERE)
@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
def test_a_server_that_lets_anybody_in_is_refused_by_libpq(url: str, mode: str) -> None:
    assert remote.guard(sa.make_url(url).update_query_dict({"sslmode": mode})) == {"require_auth": "!none"}


def test_a_client_certificate_stands_for_a_password() -> None:
    url = sa.make_url("postgresql://keeper@db.example/provider?sslmode=verify-full&sslcert=/keys/holdfast.crt")
    assert remote.guard(url) == {"sslcertmode": "require"}


def test_the_environment_of_libpq_counts_where_the_url_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "db.example")
    with pytest.raises(SettingsError):
        remote.guard(sa.make_url("postgresql:///provider"))
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    assert remote.guard(sa.make_url("postgresql:///provider"))


def test_a_service_file_hides_where_the_server_is() -> None:
    with pytest.raises(SettingsError, match="service file"):
        remote.guard(sa.make_url("postgresql:///provider?service=telco"))


def test_libpq_refuses_a_server_that_asks_for_nothing(empty_database: sa.Engine) -> None:
    """The embedded server trusts whoever comes by its socket: what is demanded of others must turn it away."""
    url = empty_database.url.update_query_dict({"require_auth": "!none"})
    with pytest.raises(sa.exc.OperationalError, match="authentication"), sa.create_engine(url).connect():
        pass
