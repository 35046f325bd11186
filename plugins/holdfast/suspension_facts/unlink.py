"""Cut facts loose from the records they were taken from, once nothing of their month is awaited any more.

From then on they are about nobody, whoever has the key; and nothing of that month is taken again, for it could not be
told from what is there.
"""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from dateutil.relativedelta import relativedelta

from holdfast import queries
from holdfast.evidence import ledger


def unlink(connection: sa.Connection, *, before: dt.date, now: dt.datetime) -> list[dt.date]:
    """Cut the frozen months that began before a day, unless a review of their decisions is open; which were cut.

    `now` comes from `take_in.begin`, in the same transaction.
    """
    cut: list[dt.date] = list(queries.run(connection, "suspension_facts/to_unlink", {"before": before}).scalars())
    for month in cut:
        links = queries.run(connection, "suspension_facts/unlink", {"before": month + relativedelta(months=1)}).rowcount
        queries.run(connection, "suspension_facts/note_unlinked", {"month": month, "now": now})
        ledger.append(connection, "facts_unlinked", {"month": month.isoformat(), "links": links})
    return cut
