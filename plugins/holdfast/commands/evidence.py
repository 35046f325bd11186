"""`holdfast evidence`: sign the ledger, and hand its evidence to somebody who need not trust us."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import typer

from holdfast import settings
from holdfast.errors import SettingsError

app = typer.Typer(no_args_is_help=True, help="Signed checkpoints of the ledger, and packs of evidence to take away.")
key = typer.Typer(no_args_is_help=True, help="The key that signs checkpoints of the ledger.")
app.add_typer(key, name="key")


@key.command()
def new(
    name: Annotated[str, typer.Argument(help="The ledger's name for ever, such as carrier.example/holdfast.")],
) -> None:
    """Make the ledger's key, before the first night; without this the first seal makes one, with a name by chance."""
    from holdfast.evidence import signing

    path = settings.load().ledger_key
    try:
        made = signing.SigningKey.generate(name)
    except ValueError as error:
        raise SettingsError(f"{error}.", fix="take a name without spaces and plus signs.") from None
    signing.save(made, path)
    typer.echo(f"{made.public}\nThe private key is in {path}. Back it up where the database's backups are not.")


@key.command()
def rotate() -> None:
    """Let another key sign from now on; both sign that it does, and the old one is destroyed."""
    from holdfast import database
    from holdfast.evidence import rotation
    from holdfast.evidence.copies import Copies

    loaded = settings.load()
    engine = database.connect_migrated(loaded)
    public = rotation.rotate(engine, loaded.ledger_key, Copies(loaded.checkpoints), dt.datetime.now(dt.UTC))
    typer.echo(f"{public}\nWho trusts the key before need do nothing: both signed the change, and every pack has it.")


@key.command()
def show() -> None:
    """Show the public key, for whoever is to check the ledger. Give it to them on another way than the packs."""
    from holdfast.evidence import signing

    typer.echo(str(signing.load(settings.load().ledger_key).public))


@app.command("checkpoint")
def make_checkpoint() -> None:
    """Sign what the ledger has gained since the last checkpoint. Every seal does it too."""
    from holdfast import database
    from holdfast.evidence import checkpoint

    loaded = settings.load()
    engine = database.connect_migrated(loaded)
    log = checkpoint.open_log(loaded.ledger_key, loaded.checkpoints)
    with database.transaction(engine) as connection:
        made = checkpoint.make(connection, log, dt.datetime.now(dt.UTC))
    if made is None:
        typer.echo("The ledger is empty: there is nothing to sign.")
    else:
        typer.echo(str(checkpoint.publish(log, made).note), nl=False)
