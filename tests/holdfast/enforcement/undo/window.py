"""A shop whose purchases and items have an undo window of a week, and what is kept of them.

On the first night, 2 March 2024, purchases of `TAKEN` are due because of the window, and must be gone by `GONE_BY`;
those of `LATE` must be gone that very day, and those of `NOT_YET` stay until the next night.
"""

from __future__ import annotations

import datetime as dt

from tests.holdfast.retention.shop import NIGHT, Document, Shop

from holdfast import database
from holdfast.enforcement.undo import restoring
from holdfast.enforcement.undo.keys import Keys
from holdfast.enforcement.undo.restoring import Asked, Restored

DAYS = 7
TAKEN, LATE, NOT_YET = "2022-03-08", "2022-03-01", "2022-03-09"
GONE_BY = dt.date(2024, 3, 9)
LAST = 7
"""The night, counted from the first one, on which the keys of that are destroyed."""


def with_window(documents: dict[str, Document]) -> None:
    """A policy edit: a window for both rules that delete purchases and what they consist of."""
    for rule in ("purchases-2y", "items-2y"):
        documents["retention_schedule"]["rules"][rule]["undo_days"] = DAYS


def night(days: int) -> dt.datetime:
    """So many nights after the first."""
    return NIGHT + dt.timedelta(days=days)


def kept(shop: Shop) -> dict[str, int]:
    """How many rows are encrypted, by the day on which their key is destroyed."""
    with shop.engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT ends_on, sum(kept_rows) FROM holdfast.undo_batch GROUP BY 1")
        return {str(row[0]): int(row[1]) for row in found}


def key_files(shop: Shop) -> list[str]:
    folder = shop.settings.undo_keys
    return sorted(path.name for path in folder.iterdir()) if folder and folder.exists() else []


def ask(shop: Shop, run_id: int, by: str = "carla") -> Asked:
    with database.transaction(shop.engine) as connection:
        return restoring.ask(connection, run_id=run_id, by=by, key=shop.settings.pseudonym_key())


def approve(shop: Shop, run_id: int, by: str) -> int:
    with database.transaction(shop.engine) as connection:
        return restoring.approve(connection, shop.policy, run_id=run_id, by=by, key=shop.settings.pseudonym_key())


def restore(shop: Shop, run_id: int, *, even_unheld: bool = True, days: int = 1) -> Restored:
    """What is asked for and approved, so many days after the first night."""
    with database.transaction(shop.engine) as connection:
        return restoring.restore(
            connection,
            shop.policy,
            Keys(shop.settings.undo_keys),
            run_id=run_id,
            by="carla",
            key=shop.settings.pseudonym_key(),
            as_of=night(days).date(),
            even_unheld=even_unheld,
        )


def bring_back(shop: Shop, run_id: int, *, even_unheld: bool = True) -> Restored:
    """Asked by one, approved by two others, and done."""
    ask(shop, run_id)
    approve(shop, run_id, "anna")
    approve(shop, run_id, "7")
    return restore(shop, run_id, even_unheld=even_unheld)
