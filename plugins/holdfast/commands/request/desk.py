"""What the commands of `holdfast request` work with: the register, the policy, the clock, and how they answer."""

from __future__ import annotations

import datetime as dt
import enum
import getpass
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from holdfast import settings

if TYPE_CHECKING:
    import sqlalchemy as sa

    from holdfast.deletion_requests.deadlines import Terms
    from holdfast.deletion_requests.register import Request
    from holdfast.policy.model import Policy

Number = Annotated[str, typer.Argument(metavar="REQUEST", help="Its number or its reference.")]
By = Annotated[
    str, typer.Option("--by", default_factory=getpass.getuser, help="Who does it; the ledger has a pseudonym.")
]
At = Annotated[
    dt.datetime | None,
    typer.Option(
        "--at", formats=["%Y-%m-%d %H:%M"], help="When it happened, in the controller's time; now if not given."
    ),
]


@dataclass(frozen=True)
class Desk:
    """What a command works with."""

    connection: sa.Connection
    policy: Policy
    terms: Terms
    now: dt.datetime

    def find(self, request: str) -> Request:
        from holdfast.deletion_requests import register

        return register.get(self.connection, int(request) if request.isdecimal() else request)

    def moment(self, given: dt.datetime | None) -> dt.datetime:
        """The moment given, or now. Raises RequestError for one in the future."""
        from holdfast.errors import RequestError

        moment = self.now if given is None else given.replace(tzinfo=ZoneInfo(self.terms.zone))
        if moment > self.now:
            raise RequestError("The moment lies in the future.", fix="give when it happened.")
        return moment


def carry_out(request: str, change: Callable[[Desk, int], Request]) -> None:
    """Change a request, and say where it is then."""
    with open_desk() as desk:
        say(desk, change(desk, desk.find(request).request_id))


def one_of(given: str, known: type[enum.StrEnum]) -> str:
    """What was given, if it is one of these. Raises RequestError."""
    from holdfast.errors import RequestError

    if given not in frozenset(known):
        raise RequestError("There is no such state or reason.", fix=f"use one of {', '.join(known)}.")
    return given


def say(desk: Desk, request: Request) -> None:
    """Where the request is, and by when it must be answered."""
    from holdfast.deletion_requests.agenda import status_of

    for line in status_of(request, desk.terms):
        typer.echo(line)


@contextmanager
def open_desk() -> Iterator[Desk]:
    """The desk, in a transaction of its own."""
    from holdfast import database

    policy, terms = rules()
    with database.transaction(database.connect_migrated(settings.load())) as connection:
        yield Desk(connection, policy, terms, dt.datetime.now(tz=dt.UTC))


def rules() -> tuple[Policy, Terms]:
    """The policy, and how long things take by it."""
    from holdfast.deletion_requests.deadlines import Terms
    from holdfast.policy.load import load_policy
    from holdfast.policy.requests_model import load_requests_policy

    folder = settings.load().policy
    policy = load_policy(folder)
    return policy, Terms.of(policy, load_requests_policy(folder))


def day(desk: Desk, moment: dt.datetime | None) -> dt.date | str:
    """The moment as a day of the controller's."""
    return "-" if moment is None else desk.terms.day_of(moment)


def table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(*headings, box=box.SIMPLE)
    for row in rows:
        table.add_row(*map(str, row))
    Console().print(table)
