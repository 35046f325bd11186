"""`holdfast policy`: is the policy sound, what changes with it, and the schemas for editors."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from holdfast import settings

if TYPE_CHECKING:
    from holdfast.policy.model import Policy
    from holdfast.policy.problems import Problem

app = typer.Typer(no_args_is_help=True, help="The policy: data map, retention schedule and holds.")

Folder = Annotated[
    Path | None, typer.Option("--policy", help="Folder with the three files; the project's own unless given.")
]

Page = Annotated[Path, typer.Argument(help="The page to write, HTML.")]


@app.command()
def check(
    policy: Folder = None,
    as_of: Annotated[
        dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day to check for; today unless given.")
    ] = None,
    files_only: Annotated[bool, typer.Option("--files-only", help="Leave the database out.")] = False,
) -> None:
    """Check the files, and the live database against them: every table and column must be accounted for.

    Each problem is shown with its file, line, path, id (docs/coverage.md) and fix. Exit code 1 if there is one. The
    letters are tried as well: one that could not be written is named with its file and line.
    """
    from holdfast.policy.load import load_policy
    from holdfast.policy.problems import PolicyRefused

    folder = _folder(policy)
    try:
        loaded = load_policy(folder)
    except PolicyRefused as error:
        _show(error.problems)
        raise typer.Exit(1) from None
    _check_requests(folder, loaded)
    problems = () if files_only else _problems_in_database(loaded, as_of.date() if as_of else None)
    if problems:
        _show(problems)
        raise typer.Exit(1)
    counts = f"{len(loaded.data_map.datasets)} datasets, {len(loaded.schedule.rules)} rules"
    digest = loaded.digest.removeprefix("sha256:")[:12]
    typer.echo(f"Policy {digest}: {counts}, {len(loaded.holds.types)} hold types; no problem found.")


@app.command()
def diff(
    against: Annotated[
        str, typer.Option(help="The old policy: a git revision, a file that replaces one of the three, or a folder.")
    ],
    policy: Folder = None,
    files_only: Annotated[bool, typer.Option("--files-only", help="Leave the database out.")] = False,
) -> None:
    """Show what the policy (the new one) changes in another (the old one), and for how many rows, as of today."""
    from holdfast.policy.diff import changed_rules
    from holdfast.policy.diff import diff as compare
    from holdfast.policy.load import load_policy

    folder = _folder(policy)
    old, new = _other(folder, against), load_policy(folder)
    typer.echo(f"Old: {against}\nNew: {_shown(str(folder))}")
    changes = compare(old, new)
    for change in changes:
        typer.echo(f"{change.what} {change.name}: {_KINDS[change.kind]}")
        for difference in change.differences:
            typer.echo(f"    {difference}")
    rules = changed_rules(old, new)
    if not changes:
        typer.echo("Both policies say the same.")
    elif not rules:
        typer.echo("No rule treats any row differently.")
    for rule in rules:
        typer.echo(f"Rows of {rule.dataset} are treated differently: rule {rule.rule_id} is {_KINDS[rule.kind]}.")
    if rules and not files_only:
        _show_effects(old, new, {rule.dataset for rule in rules})


@app.command()
def schema(policy: Folder = None) -> None:
    """Write the JSON Schemas that editors use to check the files while they are typed."""
    from holdfast.policy.schema import write_schemas

    for path in write_schemas(_folder(policy)):
        typer.echo(_shown(str(path)))


@app.command()
def record(file: Page, policy: Folder = None) -> None:
    """Write the record of processing activities (UK GDPR Art 30), from the data map, as a page to print."""
    from holdfast.policy.load import load_policy
    from holdfast.policy.papers import record_of_processing

    file.write_text(record_of_processing(load_policy(_folder(policy))), encoding="utf-8")
    typer.echo(_shown(str(file)))


@app.command()
def paper(file: Page, policy: Folder = None) -> None:
    """Write the retention schedule as a page to print."""
    from holdfast.policy.load import load_policy
    from holdfast.policy.papers import retention_schedule

    file.write_text(retention_schedule(load_policy(_folder(policy))), encoding="utf-8")
    typer.echo(_shown(str(file)))


@app.command()
def history(policy: Folder = None) -> None:
    """Show who changed the policy, when, and what it says since, newest first, from version control."""
    from holdfast.policy.history import history as revisions

    for one in revisions(_folder(policy)):
        typer.echo(f"{one.at}  {one.by}  {one.subject}")
        digest = (one.digest or "no policy of this version").removeprefix("sha256:")[: 12 if one.digest else None]
        typer.echo(f"    commit {one.commit[:12]}, policy {digest}")
        for change in one.changes:
            typer.echo(f"    {change.what} {change.name}: {change.kind.value}")
            for difference in change.differences:
                typer.echo(f"        {difference}")


def _check_requests(folder: Path, policy: Policy) -> None:
    """What the policy says of deletion requests, and the words of its letters, where it says anything of them."""
    from holdfast.deletion_requests import letter_check
    from holdfast.deletion_requests.letters_addressee import FOLDER
    from holdfast.errors import PolicyError
    from holdfast.policy.problems import PolicyRefused
    from holdfast.policy.requests_model import RULES, load_requests_policy

    if not (folder / RULES).exists():
        return
    try:
        load_requests_policy(folder)
        letter_check.check(policy, folder / FOLDER)
    except PolicyRefused as error:
        _show(error.problems)
        raise typer.Exit(1) from None
    except PolicyError as error:
        typer.secho(error.what, bold=True, err=True)
        typer.echo(f"    Fix: {error.fix}", err=True)
        raise typer.Exit(1) from None


_KINDS = {"added": "only in the new policy", "removed": "only in the old policy", "changed": "changed"}


def _folder(given: Path | None) -> Path:
    return given or settings.load().policy


def _other(folder: Path, against: str) -> Policy:
    from holdfast.policy.load import load_policy, load_revision, load_variant

    path = Path(against)
    if path.is_dir():
        return load_policy(path)
    if path.is_file():
        return load_variant(folder, path)
    return load_revision(folder, against, ".")


def _problems_in_database(policy: Policy, day: dt.date | None) -> tuple[Problem, ...]:
    from holdfast import database
    from holdfast.policy.coverage import check_database

    loaded = settings.load()
    found: list[Problem] = []
    today = dt.datetime.now(tz=ZoneInfo(policy.schedule.time_zone)).date()
    for name in policy.data_map.databases:
        with database.transaction(database.connect(loaded.at(name))) as connection:
            found += check_database(policy, connection, day or today, name)
    return tuple(dict.fromkeys(found))  # what is wrong with the files alone, each of them finds


def _show_effects(old: Policy, new: Policy, datasets: set[str]) -> None:
    from holdfast import database
    from holdfast.retention.effect import effects

    today = dt.datetime.now(tz=ZoneInfo(new.schedule.time_zone)).date()
    for name in new.data_map.databases:
        theirs = {one for one in datasets if _connection_of(one, new, old) == name}
        with database.snapshot(database.connect_migrated(settings.load().at(name))) as connection:
            counted = effects(connection, old.at(name), new.at(name), theirs, today)
        for effect in counted:
            if effect.newly_due is None or effect.newly_kept is None:
                typer.echo(f"{effect.dataset}: not counted, because it is not the same table in both.")
            else:
                typer.echo(
                    f"{effect.dataset}: {effect.newly_due:,} rows are due under the new policy alone,"
                    f" {effect.newly_kept:,} under the old alone."
                )


def _connection_of(dataset: str, *policies: Policy) -> str:
    """The database of a dataset, by the first of the policies that has it."""
    return next(one.data_map.datasets[dataset].connection for one in policies if dataset in one.data_map.datasets)


def _show(problems: tuple[Problem, ...]) -> None:
    for problem in problems:
        typer.secho(f"{_shown(problem.file)}:{problem.line} {problem.path} {problem.rule}", bold=True, err=True)
        typer.echo(f"    {problem.what}\n    Fix: {problem.fix}", err=True)
    typer.echo("1 problem." if len(problems) == 1 else f"{len(problems)} problems.", err=True)


def _shown(file: str) -> str:
    """A file as seen from the working folder, where that is shorter."""
    relative = os.path.relpath(file) if Path(file).is_absolute() else file
    return min(relative, file, key=len)
