"""A record that the authority rejected goes out again once it was corrected, or a person says that it was right."""

from __future__ import annotations

import datetime as dt
import re

import sqlalchemy as sa

from holdfast import queries
from holdfast.errors import ExtractRefused
from holdfast.evidence import ledger

_REASON = re.compile(r"[a-z][a-z0-9-]{2,60}")


def send_again(
    connection: sa.Connection, *, provider: str, sequence: int, code: str, by: str, reason: str, now: dt.datetime
) -> int:
    """Let our next extract send the records again that were rejected with this code in this release; how many.

    They go out as they were, once: if they are rejected again, they wait again. `by` is a pseudonym. Raises
    ExtractRefused if there are none that wait to be corrected.
    """
    if not _REASON.fullmatch(reason):
        raise ExtractRefused("The reason is no code.", fix="use small letters, digits and hyphens: their-mistake.")
    which: dict[str, object] = {"provider": provider, "sequence": sequence, "code": code}
    found = queries.run(connection, "emergency/send_again", {**which, "at": now}).rowcount
    if not found:
        raise ExtractRefused(
            "No record of this release waits with this code to be corrected.", fix="see the rejects in the report."
        )
    facts: dict[str, ledger.JSON] = {"provider": provider, "sequence": sequence, "code": code}
    ledger.append(connection, "rejects_sent_again", {**facts, "records": found, "by": by, "reason": reason})
    return found
