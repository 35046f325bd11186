"""Deletion requests of the invented customers, as a file in the inbox: what another system would drop there."""

from __future__ import annotations

import csv
import datetime as dt
import io

import sqlalchemy as sa

from holdfast import queries
from holdfast.store import AnyPath, private_folder, write_whole

_HEADER = (
    "reference",
    "channel",
    "received_at",
    "subject_key",
    "scope",
    "identity_requested_at",
    "identity_confirmed_at",
)
_CHANNELS = ("form", "email", "support", "post")
_SCOPES = ("account", "account", "account", "messages;call_recordings", "login_events")
_UNCONFIRMED = 7  # every seventh has not answered who they are
_RECENT = 5  # every fifth has confirmed it so recently that the cool-off still runs


def make(engine: sa.Engine, inbox: AnyPath, *, as_of: dt.datetime) -> int:
    """Write the file, complete, into `inbox`; the number of requests. The same for the same data and night."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\r\n")
    lines.writerow(_HEADER)
    number = 0
    with engine.connect() as connection:
        for row in queries.run(connection, "provider/generate/deletion_requests"):
            number += 1
            lines.writerow(_line(row.place, row.subject_key, as_of))
    write_whole(private_folder(inbox) / f"requests-{as_of:%Y%m%d}.csv", text.getvalue().encode())
    return number


def _line(place: int, subject_key: str, as_of: dt.datetime) -> tuple[str, ...]:
    received = as_of - dt.timedelta(days=12 + place % 14)
    asked = received + dt.timedelta(days=1) if place % 3 == 0 else None
    confirmed: dt.datetime | None = received + dt.timedelta(days=2)
    if place % _UNCONFIRMED == 0:
        asked, confirmed = received + dt.timedelta(days=1), None
    elif place % _RECENT == 0:
        confirmed = as_of - dt.timedelta(days=2)
    moments = tuple(moment.isoformat(timespec="seconds") if moment else "" for moment in (asked, confirmed))
    return (
        f"web-{as_of:%Y%m%d}-{place}",
        _CHANNELS[place % len(_CHANNELS)],
        received.isoformat(timespec="seconds"),
        subject_key,
        _SCOPES[place % len(_SCOPES)],
        *moments,
    )
