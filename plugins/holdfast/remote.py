"""A database on another machine: only over TLS, and only where each side knows the other.

Without them whoever is on the way reads personal data, or answers in the server's place and has nothing deleted where a
hold ended, or everything where one is missing (UK GDPR Art 32(1)).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

import sqlalchemy as sa
from psycopg import pq

from holdfast.errors import SettingsError
from holdfast.settings import DATABASE_URL

_ENCRYPTED = ("require", "verify-ca", "verify-full")


def guard(url: sa.URL) -> Mapping[str, str]:
    """What libpq has to be told besides the URL: nothing for this machine's own server.

    Raises SettingsError for another machine's without encryption. libpq itself then refuses a server that lets anybody
    in; only a client certificate stands for a password. What the URL leaves out counts as libpq would fill it in, from
    its environment. A service file is read by libpq alone, so it cannot be judged here and is refused.
    """
    given = _options(url)
    if given.get("service"):
        raise SettingsError(
            "The database is named by a service file, so that nobody can see here whether it is encrypted.",
            fix=f"write host, port and sslmode into {DATABASE_URL} or the Airflow connection 'holdfast'.",
        )
    if all(is_here(host) for name in ("host", "hostaddr") for host in given.get(name, "").split(",")):
        return {}
    if given.get("sslmode") not in _ENCRYPTED:
        raise SettingsError(
            f"The database at {url.host or given.get('host')} is on another machine and may be spoken to unencrypted.",
            fix="add sslmode=verify-full and sslrootcert, or at least sslmode=require, to the URL or connection.",
        )
    if given.get("sslcert"):
        return {"sslcertmode": "require"}
    return {"require_auth": "!none"}


def _options(url: sa.URL) -> dict[str, str]:
    """libpq's options: its defaults with those of the environment, and what the URL says above them."""
    defaults = {one.keyword.decode(): one.val.decode() for one in pq.Conninfo.get_defaults() if one.val is not None}
    query = {name: value if isinstance(value, str) else ",".join(value) for name, value in url.query.items()}
    return defaults | query | ({"host": url.host} if url.host else {})


def is_here(host: str) -> bool:
    """Whether a host is this machine, by its name alone."""
    if not host or host.startswith(("/", "@")) or host == "localhost":  # a folder or an abstract name of a socket
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
