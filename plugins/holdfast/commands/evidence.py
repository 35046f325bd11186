"""`holdfast evidence`: sign the ledger, and hand its evidence to somebody who need not trust us."""

from __future__ import annotations

import datetime as dt
import getpass
from pathlib import Path
from typing import Annotated

import typer

from holdfast import settings
from holdfast.commands import Database, at, every_database
from holdfast.errors import SettingsError
from holdfast.settings import MAIN

app = typer.Typer(no_args_is_help=True, help="Signed checkpoints of the ledger, and packs of evidence to take away.")
key = typer.Typer(no_args_is_help=True, help="The key that signs checkpoints of the ledger.")
app.add_typer(key, name="key")


@key.command()
def new(
    name: Annotated[str, typer.Argument(help="The ledger's name for ever, such as carrier.example/holdfast.")],
    database: Database = MAIN,
) -> None:
    """Make the ledger's key, before the first night; without this the first seal makes one, with a name by chance."""
    from holdfast.evidence import signing

    path = at(database).ledger_key
    try:
        made = signing.SigningKey.generate(name)
    except ValueError as error:
        raise SettingsError(f"{error}.", fix="take a name without spaces and plus signs.") from None
    signing.save(made, path)
    typer.echo(f"{made.public}\nThe private key is in {path}. Back it up where the database's backups are not.")


@key.command()
def rotate(database: Database = MAIN) -> None:
    """Let another key sign from now on; both sign that it does, and the old one is destroyed."""
    from holdfast import database as databases
    from holdfast.evidence import rotation
    from holdfast.evidence.copies import Copies

    loaded = at(database)
    if loaded.ledger_key_text is not None:
        raise SettingsError(
            f"The key is given by {settings.LEDGER_KEY}, where another one cannot take its place.",
            fix="on one machine put its text into `keys/ledger.key` (chmod 600) and unset the variable, rotate there, "
            "and give every machine what the file has then.",
        )
    engine = databases.connect_migrated(loaded)
    public = rotation.rotate(engine, loaded.ledger_key, Copies(loaded.checkpoints), dt.datetime.now(dt.UTC))
    typer.echo(f"{public}\nWho trusts the key before need do nothing: both signed the change, and every pack has it.")


@key.command()
def show(database: Database = MAIN) -> None:
    """Show the public key, for whoever is to check the ledger. Give it to them on another way than the packs."""
    from holdfast.evidence import signing

    typer.echo(str(signing.key_of(at(database)).public))


@app.command("checkpoint")
def make_checkpoint() -> None:
    """Sign what each database's ledger has gained since its last checkpoint. Every seal does it too."""
    from holdfast import database
    from holdfast.evidence import checkpoint

    for loaded in every_database().values():
        engine = database.connect_migrated(loaded)
        log = checkpoint.open_log(loaded)
        made = checkpoint.sign(engine, log, dt.datetime.now(dt.UTC))
        typer.echo("The ledger is empty: there is nothing to sign." if made is None else str(made.note).rstrip())


@app.command()
def pack(
    file: Annotated[Path, typer.Argument(help="The ZIP to write.")],
    run: Annotated[int | None, typer.Option(help="All entries of one run, by its number.")] = None,
    request: Annotated[int | None, typer.Option(help="All entries from the first to the last that names it.")] = None,
    month: Annotated[str | None, typer.Option(help="A month of the controller's calendar, such as 2026-11.")] = None,
    since: Annotated[str | None, typer.Option(help="From the beginning of this day, 2026-11-01.")] = None,
    until: Annotated[str | None, typer.Option(help="To the end of this day; the ledger's end without it.")] = None,
    database: Database = MAIN,
) -> None:
    """Write evidence of one ledger into one file that `holdfast-verify` checks, without us and without the database."""
    from functools import partial

    from holdfast import database as databases
    from holdfast.evidence import attachments, checkpoint
    from holdfast.evidence import pack as packs
    from holdfast.policy.load import load_policy

    if [run, request, month, since or until].count(None) != 3:
        raise typer.BadParameter("Choose one: --run, --request, --month, or --since and --until.")
    loaded = at(database)
    zone = load_policy(loaded.policy).schedule.time_zone
    engine = databases.connect_migrated(loaded)
    log = checkpoint.open_log(loaded)
    with databases.snapshot(engine) as connection:
        if run is not None:
            chosen = packs.of_run(run, attachments.copies_of_run(connection, run))
        elif request is not None:
            chosen = packs.of_request(connection, request)
        else:
            chosen = packs.of_period(connection, *_period(month, since, until, zone))
        found = packs.read(connection, log.copies)
        packs.make(found, log.key, chosen, file, partial(attachments.of_entries, connection, loaded))
    typer.echo(f"{file}: check it with `holdfast-verify {file} --key {log.key.public}`.")


def _period(
    month: str | None, since: str | None, until: str | None, zone: str
) -> tuple[dt.datetime | None, dt.datetime | None]:
    """The moments at which the days begin and end."""
    from dateutil.relativedelta import relativedelta

    from holdfast.clock import midnight

    try:
        if month is not None:
            first: dt.date | None = dt.date.fromisoformat(f"{month}-01")
            after: dt.date | None = dt.date.fromisoformat(f"{month}-01") + relativedelta(months=1)
        else:
            first = dt.date.fromisoformat(since) if since else None
            after = dt.date.fromisoformat(until) + dt.timedelta(days=1) if until else None
    except ValueError:
        raise typer.BadParameter("Write a day as 2026-11-01 and a month as 2026-11.") from None
    return (midnight(first, zone) if first else None, midnight(after, zone) if after else None)


@app.command()
def witness(
    pack: Annotated[Path, typer.Argument(help="A pack of the ledger, however small.")],
    key_file: Annotated[Path, typer.Option("--key-file", help="The witness's own private key; made if there is none.")],
    trust: Annotated[str, typer.Option("--trust", help="The ledger's public key.")],
    name: Annotated[str, typer.Option(help="The witness's name, for a new key.")] = "witness",
) -> None:
    """Be a witness: sign the last checkpoint of a pack if it continues the one that was signed before.

    Runs without the database. What was seen last is kept beside the key, and written before anything is signed.
    """
    from holdfast.evidence import witness as witnesses

    note, public = witnesses.cosign(pack, key_file, trust, name, dt.datetime.now(dt.UTC))
    typer.echo(f"{public}", err=True)
    typer.echo(str(note), nl=False)


@app.command()
def cosigned(
    file: Annotated[Path, typer.Argument(help="The checkpoint as the witness signed it.")], database: Database = MAIN
) -> None:
    """Take in a checkpoint that a witness signed; packs have the signature from now on."""
    from holdfast.evidence import witness as witnesses
    from holdfast.evidence.copies import Copies

    name = witnesses.take_in(Copies(at(database).checkpoints), file.read_text(encoding="utf-8"))
    typer.echo(f"Packs show it from now on: {name}")


@app.command()
def certificate(
    run: Annotated[int, typer.Argument(help="The run's number, as its report has it.")],
    file: Annotated[Path, typer.Argument(help="The page to write, HTML.")],
    database: Database = MAIN,
) -> None:
    """Write a certificate of destruction for a sealed run, from its sealed entries, as a page to print and sign."""
    from holdfast import database as databases
    from holdfast.evidence import certificate as certificates
    from holdfast.policy.load import load_policy
    from holdfast.store import write_whole

    loaded = at(database)
    with databases.snapshot(databases.connect_migrated(loaded)) as connection:
        found = certificates.compose(connection, run)
    page = certificates.page_of(found, load_policy(loaded.policy).schedule.time_zone)
    write_whole(file, page.encode())
    typer.echo(str(file))


@app.command()
def history() -> None:
    """Copy what Airflow has to say of the jobs' runs since the last time. The job evidence_nightly does it too."""
    from holdfast import database
    from holdfast.run_history import steps

    loaded = settings.load()
    copied = steps.copy_history(database.connect_migrated(loaded), loaded)
    typer.echo(f"{copied['read']} runs and days read; {copied['new']} said something new.")


@app.command()
def watchdog() -> None:
    """Compare ledger, Airflow's history and calendar. Exit code 1 if something disagrees that nobody explained."""
    from holdfast import database
    from holdfast.run_history import steps
    from holdfast.run_history import watchdog as watchdogs

    loaded = settings.load()
    engine = database.connect_migrated(loaded)
    steps.compare(engine, loaded)
    with database.transaction(engine) as connection:
        found, users = watchdogs.listed(connection), watchdogs.users(connection)
    for one in found:
        who = users.get(one.by or "")
        typer.echo(f"{one.line}, who is {who}" if who else one.line)
    typer.echo(f"{len(found)} open, {sum(one.alarms for one in found)} of them unexplained.")
    raise typer.Exit(1 if any(one.alarms for one in found) else 0)


@app.command()
def explain(
    number: Annotated[int, typer.Argument(help="The disagreement's number, as the report or `watchdog` has it.")],
    reason: Annotated[str, typer.Option(help="Why, as a code such as planned-work or known-outage.")],
    by: Annotated[
        str, typer.Option("--by", default_factory=getpass.getuser, help="Who says so, as Airflow knows them.")
    ],
) -> None:
    """Give the reason for a disagreement; it stays in the ledger and alarms no more. Not for what you did yourself."""
    from holdfast import database
    from holdfast.evidence.pseudonyms import pseudonym
    from holdfast.holds.register import STAFF
    from holdfast.run_history import watchdog as watchdogs

    loaded = settings.load()
    who = pseudonym(loaded.pseudonym_key(), STAFF, by)
    with database.transaction(database.connect_migrated(loaded)) as connection:
        watchdogs.explain(connection, number, by=by, pseudonym=who, reason=reason, now=dt.datetime.now(dt.UTC))
    typer.echo(f"{number} is explained: {reason}")
