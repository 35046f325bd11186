"""`holdfast retention`: what tonight would do, why a record is still here, and what no row knows of."""

from __future__ import annotations

import datetime as dt
import getpass
from typing import TYPE_CHECKING, Annotated, cast

import typer

from holdfast import clock, settings
from holdfast.commands import Database, at, every_database, printable
from holdfast.settings import MAIN

if TYPE_CHECKING:
    import sqlalchemy as sa

    from holdfast.policy.disclosure import Disclosure
    from holdfast.retention.explain import Explanation

app = typer.Typer(no_args_is_help=True, help="Nightly retention: plan it, explain it, have its rows back.")

By = Annotated[
    str, typer.Option("--by", default_factory=getpass.getuser, help="Who does it; the ledger has a pseudonym.")
]


@app.command()
def plan() -> None:
    """Plan tonight's run and write its report, without deleting anything. The same figures as a real run of now.

    In each database of the data map, as the night does.
    """
    from holdfast import database
    from holdfast.retention import steps

    databases = every_database()
    for name, loaded in databases.items():
        if len(databases) > 1:
            typer.echo(f"Database {name}")
        engine = database.connect_migrated(loaded)
        run = steps.open_run(engine, loaded, as_of=dt.datetime.now(tz=dt.UTC), dry_run=True)
        run_id = int(str(run["run_id"]))
        for step in (steps.refresh_holds, steps.check_policy, steps.make_plan):
            step(engine, loaded, run_id=run_id)
        caps = steps.check_caps(engine, loaded, run_id=run_id)
        _show_plan(engine, run_id)
        typer.echo(f"Plan {caps['plan_digest']}")
        if over_cap := cast("list[str]", caps["rules_over_cap"]):
            typer.echo(f"Above a cap, so a person would have to approve: {', '.join(over_cap)}")
        typer.echo(f"Report: {steps.write_report(engine, loaded, run_id=run_id)['report']}")


@app.command()
def explain(
    dataset: Annotated[str, typer.Argument(help="A dataset of policy/data_map.yaml.")],
    key: Annotated[str, typer.Argument(help="The record's key; several columns joined by |.")],
    restricted: Annotated[bool, typer.Option("--restricted", help="Name holds that must not be disclosed.")] = False,
) -> None:
    """Say for one record which rules and holds meet it, and what will happen to it when."""
    from holdfast import database
    from holdfast.holds import register
    from holdfast.policy.disclosure import Disclosure
    from holdfast.policy.load import load_policy
    from holdfast.retention import explain as explaining

    loaded = settings.load()
    whole = load_policy(loaded.policy)
    known = whole.data_map.datasets.get(dataset)
    loaded = loaded.at(known.connection if known else settings.MAIN)
    policy = whole.at(loaded.database)
    today = clock.local_date(dt.datetime.now(tz=dt.UTC), policy.schedule.time_zone)
    with database.snapshot(database.connect_migrated(loaded)) as connection:
        trusted = {one.source_id for one in register.source_states(connection) if one.status == "trusted"}
        untrusted = {kind for name, one in policy.holds.sources.items() if name not in trusted for kind in one.types}
        found = explaining.explain(connection, policy, dataset, key, as_of=today, untrusted=frozenset(untrusted))
    if found is None:
        typer.echo(f"{dataset} has no record with this key.")
        raise typer.Exit(1)
    for line in _lines(found, None if restricted else Disclosure.of(policy)):
        typer.echo(line)


@app.command("objects-without-rows")
def objects_without_rows(
    dataset: Annotated[str, typer.Option("--dataset", help="A dataset of which the data map names folders.")],
) -> None:
    """List the objects that no row knows of, for whoever decides about them. Their names may name people."""
    from holdfast import database
    from holdfast.enforcement import objects
    from holdfast.errors import PolicyError
    from holdfast.policy.load import load_policy
    from holdfast.reports.html import counted

    loaded = settings.load()
    whole = load_policy(loaded.policy)
    known = whole.data_map.datasets.get(dataset)
    if known is None or known.files is None or not known.files.folders:
        raise PolicyError(
            f"The data map names no folder with objects of {dataset}.",
            fix="name a dataset that has `folders` under `files`, or give it some.",
        )
    loaded = loaded.at(known.connection)
    engine, policy = database.connect_migrated(loaded), whole.at(loaded.database)
    number = 0
    with objects.names(engine, loaded, policy, dataset, now=dt.datetime.now(tz=dt.UTC)) as found:
        for one in found:
            number += 1
            typer.echo(f"{one.modified:%Y-%m-%d %H:%M}  {printable(one.address.decode(errors='backslashreplace'))}")
    typer.echo(f"{counted(number, 'object')} without a row in the folders of {dataset}.")


@app.command()
def restore(
    run: Annotated[int, typer.Option("--run", help="The number of the run whose deleted rows are wanted back.")],
    by: By,
    even_unheld: Annotated[
        bool, typer.Option("--even-unheld", help="Also rows that no hold reaches; the next night takes them again.")
    ] = False,
    database: Database = MAIN,
) -> None:
    """Have the rows back that a run deleted, within its undo window: asks first, and does it once two approved."""
    from holdfast import database as databases
    from holdfast.enforcement.undo import restoring
    from holdfast.enforcement.undo.keys import Keys
    from holdfast.policy.load import load_policy

    loaded = at(database)
    policy = load_policy(loaded.policy).at(loaded.database)
    engine, key = databases.connect_migrated(loaded), loaded.pseudonym_key()
    with databases.transaction(engine) as connection:
        asked = restoring.ask(connection, run_id=run, by=by, key=key)
    rows = ", ".join(f"{number:,} of {dataset}" for dataset, number in asked.wanted.rows.items())
    if len(asked.approved_by) < 2:
        typer.echo(f"Run {run}: {rows}; can be had until {asked.wanted.first_end}, when the first of them go for good.")
        typer.echo(f"Asked for by {asked.asked_by}; approved by {len(asked.approved_by)} of 2.")
        typer.echo(f"Two of {', '.join(policy.schedule.approvers)}, and not who asked, must each say:")
        where = "" if database == MAIN else f" --database {database}"
        typer.echo(f"    holdfast retention approve-restore --run {run}{where}")
        raise typer.Exit(1)
    today = clock.local_date(dt.datetime.now(tz=dt.UTC), policy.schedule.time_zone)
    with databases.transaction(engine) as connection:
        keys = Keys(loaded.undo_keys)
        done = restoring.restore(
            connection, policy, keys, run_id=run, by=by, key=key, as_of=today, even_unheld=even_unheld
        )
    for dataset, number in done.rows.items():
        typer.echo(f"{number:,} rows of {dataset} are back, as they were.")
    if done.left_out:
        typer.echo(f"{done.left_out:,} rows are not: whoever they were about has been erased since.")
    if done.unheld:
        typer.echo(f"{done.unheld:,} of them are under no hold: the next night takes them again.")


@app.command("approve-restore")
def approve_restore(
    run: Annotated[int, typer.Option("--run", help="The number of the run whose deleted rows are wanted back.")],
    by: By,
    database: Database = MAIN,
) -> None:
    """Approve that the rows of a run come back: two approvers of the policy must, and neither is who asked."""
    from holdfast import database as databases
    from holdfast.enforcement.undo import restoring
    from holdfast.policy.load import load_policy

    loaded = at(database)
    policy = load_policy(loaded.policy).at(loaded.database)
    with databases.transaction(databases.connect_migrated(loaded)) as connection:
        approvals = restoring.approve(connection, policy, run_id=run, by=by, key=loaded.pseudonym_key())
    typer.echo(f"Run {run}: approved by {approvals} of 2.")


_OUTCOMES = {
    "due": "It is due: the next run {acts} it.",
    "held": "Its period is over, and a hold keeps it.",
    "refused": "Its period is over, and it is kept because a source that might hold it is not believed.",
    "waiting": "Its period is over, and it waits for rows that still refer to it, or for its facts to be taken.",
    "done": "Its period is over, and it has been anonymised.",
    "unknown": "It is kept because nobody can say when its period starts, or whom it is about.",
    "not_started": "Its period has not started.",
    "not_due": "Its period is not over.",
    "no_rule": "No rule of its dataset applies to it.",
}


def _lines(found: Explanation, disclosure: Disclosure | None) -> list[str]:
    """What may be said: of holds that may not be named, neither which they are nor until when. None: all may be."""
    acts = {one.rule.rule_id: "deletes" if one.rule.deletes else "anonymises" for one in found.rules}
    lines = [_OUTCOMES[found.decision.outcome.value].format(acts=acts.get(found.decision.rule_id or ""))]
    for one in found.rules:
        mark = "*" if one.rule.rule_id == found.decision.rule_id else " "
        start = one.rule.start or "not known"
        applies = "" if one.rule.applies else " (does not apply to this record)"
        does = f"{acts[one.rule.rule_id]} after {one.rule.period}, {one.rule.strength.value}"
        lines.append(f"{mark} rule {one.rule.rule_id}{applies}: {does}")
        lines.append(f"    start event {start}, last day {one.last_day or 'not known'}; {one.law}")
        if one.rule.undo_days:
            lines.append(f"    leaves its table {one.rule.undo_days} days earlier, kept encrypted until the last day")
    named = [hold for hold in found.holds if not disclosure or disclosure.may_name(hold.hold_type, hold.disclosable)]
    for hold in named:
        review = f", to be reviewed {hold.review_on}" if hold.review_on else ""
        until = f"until {hold.ends_on}" if hold.ends_on else f"until released{review}"
        lines.append(f"- held by {hold.authority} {hold.hold_type} {hold.reference} {until}")
    if len(named) < len(found.holds):
        lines.append("- held by other obligations; who may know more asks with --restricted")
    elif found.next_look:
        lines.append(f"Looked at again on {found.next_look}.")
    return lines


def _show_plan(engine: sa.Engine, run_id: int) -> None:
    from rich.console import Console

    from holdfast import database, queries
    from holdfast.reports import terminal

    with database.transaction(engine) as connection:
        planned = queries.run(connection, "enforcement/plan_rules", {"run_id": run_id}).all()
    outcomes = ("due", "held", "waiting", "unknown", "refused")
    counts = [f"{name}_rows" for name in (*outcomes, "total")]
    rows = [(one.rule_id, one.action, *(getattr(one, count) for count in counts)) for one in planned]
    terminal.show(Console(), ("rule", "action", *outcomes, "of"), rows)
