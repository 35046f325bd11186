"""Two shops of one chain, each with a database of its own: the shop, and the archive of what it sold in earlier years.

Both have a table `shop.purchase`, and nobody may mix them up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa
from tests.holdfast.retention import shop as shops
from tests.holdfast.retention.shop import Document, Shop

from holdfast import database, settings
from holdfast.holds import everywhere, register
from holdfast.holds.register import ReleaseReason
from holdfast.policy.load import load_policy
from holdfast.policy.model import Policy

ARCHIVE = "archive"
TABLES = """
CREATE SCHEMA shop;
CREATE TABLE shop.purchase (
    purchase_id bigint PRIMARY KEY, customer_no bigint, bought_on date, note text STORAGE PLAIN
);
CREATE TABLE shop.item (
    purchase_id bigint REFERENCES shop.purchase, line_no integer, label text, PRIMARY KEY (purchase_id, line_no)
);
CREATE TABLE shop.debt (reference text PRIMARY KEY, customer_no bigint);
CREATE TABLE shop.feed (loaded_at timestamptz);
INSERT INTO shop.feed VALUES (clock_timestamp());
"""


def add_archive(documents: dict[str, Document]) -> None:
    """What the chain's policy has besides the shop's."""
    data_map, rules = documents["data_map"], documents["retention_schedule"]["rules"]
    data_map["connections"] = {
        ARCHIVE: {
            "description": "What was sold in earlier years, by another system.",
            "schemas": ["shop"],
            "exemptions": dict(data_map["exemptions"]),
        }
    }
    datasets = data_map["datasets"]
    datasets["old-purchases"] = {**datasets["purchases"], "connection": ARCHIVE}
    datasets["old-items"] = {
        **datasets["items"],
        "connection": ARCHIVE,
        "subject": {"through": {"columns": ["purchase_id"], "dataset": "old-purchases"}},
    }
    rules["old-purchases-2y"] = {**rules["purchases-2y"], "dataset": "old-purchases"}
    start = {"dataset": "old-purchases", "link": "path", "column": "bought_on"}
    rules["old-items-2y"] = {**rules["items-2y"], "dataset": "old-items", "start": start}


@dataclass(frozen=True)
class Chain:
    """The shop and its archive; each can have a night of its own."""

    shop: Shop
    archive: Shop

    @property
    def policy(self) -> Policy:
        """The whole."""
        return load_policy(self.shop.settings.policy)

    @property
    def engines(self) -> dict[str, sa.Engine]:
        return {settings.MAIN: self.shop.engine, ARCHIVE: self.archive.engine}

    def hold(self, reference: str, **scope: object) -> int:
        """A court's hold, placed by hand as the command and the page do."""
        names = {"hold_type": "COURT", "reference": reference, "placed_by": "anna"}

        def place_in(connection: sa.Connection, name: str) -> int:
            return register.place(connection, self.policy, **names, **scope, database=name)  # type: ignore[arg-type]

        return everywhere.place(self.engines, place_in)

    def release(self, reference: str) -> int:
        by = {"released_by": "anna", "reason": ReleaseReason.ENDED}
        return everywhere.release(self.engines, self.policy, reference, **by)  # type: ignore[arg-type]


def build(main: sa.Engine, archive: sa.Engine, project: object, setenv: Callable[[str, str], None]) -> Chain:
    """Make the chain. `HOLDFAST_PROJECT` must name the project; the databases are told by `setenv`."""
    setenv(settings.DATABASE_URL, url_of(main))
    setenv(f"{settings.DATABASE_URL}_{ARCHIVE.upper()}", url_of(archive))
    with archive.begin() as connection:
        database.run_script(connection, TABLES)
    shop = shops.build(main, project)  # type: ignore[arg-type]
    shop.set_policy(add_archive)
    return Chain(shop, Shop(archive, shop.settings.at(ARCHIVE)))


def url_of(engine: sa.Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


@contextmanager
def away(engine: sa.Engine, admin_url: str) -> Iterator[None]:
    """The database lets nobody in, and whoever was in is out."""
    admin = sa.create_engine(sa.make_url(admin_url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    name = engine.url.database
    try:
        with admin.connect() as connection:
            connection.exec_driver_sql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
            connection.execute(
                sa.text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"), {"name": name}
            )
        yield
    finally:
        with admin.connect() as connection:
            connection.exec_driver_sql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        admin.dispose()
        engine.dispose()
