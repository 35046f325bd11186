"""Each role may do what the matrix says, and nothing else: read from the catalogue, and tried verb by verb."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.holdfast.enforcement.undo import window
from tests.holdfast.retention import shop as shops
from tests.holdfast.retention.shop import Document, Shop

from holdfast import database as hf_database
from holdfast import queries, roles, settings
from holdfast.errors import DatabaseUnreachable, MigrationError, SettingsError
from holdfast.evidence import reported
from holdfast.evidence.reported import Checked
from holdfast.policy.model import DataMap
from holdfast.settings import Settings

MATRIX = roles.load(settings.load().sql)
NOBODYS = DataMap(version=1, schemas=("nobodys",), datasets={})
VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER", "MAINTAIN")
OWN_SCHEMAS = ("holdfast", "emergency", "statistics")
ENFORCER, READER, KEEPER = "holdfast_enforcer", "holdfast_reader", "holdfast_hold_keeper"
RESTORER = "holdfast_restorer"
SEES_SOME_COLUMNS = {
    (READER, "holdfast.hold"),
    (READER, "holdfast.undo_batch"),
    (ENFORCER, "holdfast.undo_batch"),
    ("holdfast_pages", "holdfast.undo_batch"),
}


@pytest.fixture
def shop(database: sa.Engine, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """A shop whose roles have their rights."""
    monkeypatch.setenv(settings.PROJECT, str(tmp_path / "project"))
    queries.query.cache_clear()
    made = shops.build(database, tmp_path / "project")
    roles.renew(database, settings.load())
    yield made
    queries.query.cache_clear()


def as_role(engine: sa.Engine, role: str) -> sa.Engine:
    return hf_database.engine_for(engine.url.render_as_string(hide_password=False), role)


def refuses(engine: sa.Engine, statement: str) -> bool:
    """Whether it fails for want of a right; the triggers of what nobody may change answer otherwise."""
    with engine.connect() as connection:
        try:
            connection.exec_driver_sql(statement)  # never committed
        except sa.exc.DBAPIError as error:
            return "permission denied" in str(error.orig) or "must be owner" in str(error.orig)
    return False


def rights(role: str) -> set[tuple[str, str]]:
    """(table, verb) that the matrix gives a role, also as one of those that it is as well."""
    found = set()
    for one in (role, *MATRIX.roles[role].is_also):
        for entry, verb in MATRIX.ours(one):
            table, columns = roles.parts(entry)
            if not columns:
                words = VERBS if verb == "own" else ("MAINTAIN",) if verb == "lock" else (verb.upper(),)
                found |= {(table, word) for word in words}
    return found


def test_every_table_of_ours_is_in_one_group(database: sa.Engine) -> None:
    with database.connect() as connection:
        present = queries.run(connection, "roles/provider_tables", {"schemas": list(OWN_SCHEMAS)}).all()
    grouped = [entry for entries in MATRIX.groups.values() for entry in entries if "(" not in entry]
    assert sorted(grouped) == sorted(row.table_name for row in present)


def test_every_group_and_role_that_is_named_is_there() -> None:
    for role in MATRIX.roles.values():
        assert set(role.ours) <= set(MATRIX.groups)
        assert set(role.is_also) <= set(MATRIX.roles)


@pytest.mark.parametrize("role", MATRIX.roles)
def test_the_catalogue_says_what_the_matrix_says(database: sa.Engine, role: str) -> None:
    tables = [entry for entries in MATRIX.groups.values() for entry in entries if "(" not in entry]
    with database.connect() as connection:
        held = {
            (table, verb)
            for table in tables
            for verb in VERBS
            if connection.execute(sa.select(sa.func.has_table_privilege(role, table, verb))).scalar_one()
        }
    assert held == rights(role)


@pytest.mark.parametrize("role", MATRIX.roles)
def test_each_verb_is_tried_on_each_table(database: sa.Engine, role: str) -> None:
    allowed = rights(role)
    engine = as_role(database, role)
    with database.connect() as connection:
        tables = {
            entry: connection.exec_driver_sql(
                "SELECT a.attname FROM pg_attribute AS a INNER JOIN pg_class AS c ON a.attrelid = c.oid"
                f" WHERE a.attrelid = '{entry}'::regclass AND a.attnum = 1 AND c.relkind = 'r'"
            ).scalar()
            for entries in MATRIX.groups.values()
            for entry in entries
            if "(" not in entry
        }
    for table, column in tables.items():
        if column is None:  # a view, which nobody writes to
            assert refuses(engine, f"SELECT FROM {table}") == ((table, "SELECT") not in allowed), table
            continue
        tries = {
            "SELECT": f'SELECT 1 FROM {table} AS t WHERE t."{column}" IS NULL AND FALSE',
            "INSERT": f"INSERT INTO {table} DEFAULT VALUES",
            "UPDATE": f'UPDATE {table} SET "{column}" = DEFAULT WHERE FALSE',
            "DELETE": f"DELETE FROM {table} WHERE FALSE",
            "TRUNCATE": f"TRUNCATE {table}",
        }
        for verb, statement in tries.items():
            some_columns = verb == "SELECT" and (role, table) in SEES_SOME_COLUMNS
            if not some_columns:
                assert refuses(engine, statement) == ((table, verb) not in allowed), (table, verb)
    engine.dispose()


def test_a_report_reads_the_days_of_holds_and_not_whom_they_are_about(database: sa.Engine) -> None:
    engine = as_role(database, READER)
    assert not refuses(engine, "SELECT hold_type, review_on FROM holdfast.hold")
    assert refuses(engine, "SELECT subject_key FROM holdfast.hold")
    engine.dispose()


def test_the_enforcer_deletes_from_registered_tables_alone(shop: Shop) -> None:
    shop.execute("CREATE TABLE shop.extra (n int)")
    roles.renew(shop.engine, shop.settings)
    engine = as_role(shop.engine, ENFORCER)
    assert not refuses(engine, "DELETE FROM shop.purchase WHERE FALSE")
    assert not refuses(engine, "SELECT 1 FROM shop.extra")
    assert refuses(engine, "DELETE FROM shop.extra WHERE FALSE")
    assert refuses(engine, "INSERT INTO shop.purchase SELECT * FROM shop.purchase WHERE FALSE")
    assert refuses(engine, "DROP TABLE shop.purchase")
    assert refuses(engine, "UPDATE holdfast.hold SET released_at = now() WHERE FALSE")
    engine.dispose()


def test_the_enforcer_adds_to_what_is_kept_encrypted_and_cannot_read_it(shop: Shop) -> None:
    engine = as_role(shop.engine, ENFORCER)
    assert refuses(engine, "SELECT sealed FROM holdfast.undo_batch")
    assert refuses(engine, "DELETE FROM holdfast.undo_batch WHERE FALSE")
    assert not refuses(engine, "SELECT ends_on, kept_rows FROM holdfast.undo_batch")
    engine.dispose()


def test_the_restorer_puts_rows_back_and_takes_none_away(shop: Shop) -> None:
    engine = as_role(shop.engine, RESTORER)
    assert not refuses(engine, "INSERT INTO shop.purchase SELECT * FROM shop.purchase WHERE FALSE")
    assert refuses(engine, "INSERT INTO shop.debt SELECT * FROM shop.debt WHERE FALSE")
    assert refuses(engine, "DELETE FROM shop.purchase WHERE FALSE")
    assert refuses(engine, "UPDATE shop.purchase SET note = '' WHERE FALSE")
    assert refuses(engine, "UPDATE holdfast.hold SET released_at = now() WHERE FALSE")
    engine.dispose()


@pytest.mark.parametrize("role", [role for role, one in MATRIX.roles.items() if not one.provider])
def test_who_needs_only_counts_sees_no_row(shop: Shop, role: str) -> None:
    engine = as_role(shop.engine, role)
    assert refuses(engine, "SELECT 1 FROM shop.purchase")
    assert refuses(engine, "SELECT 1 FROM holdfast.request_letter")
    assert refuses(engine, "SELECT 1 FROM emergency.quarantine")
    engine.dispose()


def test_the_keeper_of_holds_deletes_nothing(shop: Shop) -> None:
    engine = as_role(shop.engine, KEEPER)
    assert not refuses(engine, "SELECT 1 FROM shop.purchase")
    assert refuses(engine, "DELETE FROM shop.purchase WHERE FALSE")
    assert refuses(engine, "DELETE FROM holdfast.hold WHERE FALSE")
    engine.dispose()


def test_a_whole_night_of_retention_works_by_its_roles(shop: Shop, tmp_path: Path) -> None:
    def edit(documents: dict[str, Document]) -> None:
        window.with_window(documents)
        documents["data_map"]["datasets"]["photos"]["files"]["folders"] = [str(tmp_path)]

    shop.set_policy(edit)
    shop.purchases([1, 2, 3])
    shop.purchases([4], bought_on=window.TAKEN)
    keeper, enforcer = as_role(shop.engine, KEEPER), as_role(shop.engine, ENFORCER)
    steps = importlib.import_module("holdfast.retention.steps")
    run_id = steps.open_run(enforcer, shop.settings, as_of=shops.NIGHT, dry_run=False)["run_id"]
    steps.refresh_holds(keeper, shop.settings, run_id=run_id)
    steps.end_windows(as_role(shop.engine, RESTORER), shop.settings, run_id=run_id)
    for name in ("check_policy", "make_plan", "check_caps"):
        getattr(steps, name)(enforcer, shop.settings, run_id=run_id)
    for shard in steps.list_shards(enforcer, shop.settings, run_id=run_id, wave=2):
        steps.enforce_shards(enforcer, shop.settings, **shard)
    steps.verify_run(enforcer, shop.settings, run_id=run_id)
    steps.seal_run(enforcer, shop.settings, run_id=run_id)
    assert steps.count_objects(enforcer, shop.settings, run_id=run_id) == {"objects_without_row": 0, "unknown": []}
    assert steps.write_report(as_role(shop.engine, READER), shop.settings, run_id=run_id)["report"]
    assert reported.check(as_role(shop.engine, READER), shop.settings.reports) == Checked(1, (), (), ())
    assert steps.conclude(enforcer, shop.settings, run_id=run_id)["done"]
    assert shop.verify_ledger().uncovered == 0, "the report's entry is signed in the same night"
    assert shop.ids("purchase", "purchase_id") == set()
    by_restorer = dataclasses.replace(shop, engine=as_role(shop.engine, RESTORER))
    assert window.bring_back(by_restorer, int(run_id)).rows == {"purchases": 1}
    assert shop.ids("purchase", "purchase_id") == {4}


def test_a_right_that_somebody_gave_by_hand_is_taken_back(database: sa.Engine) -> None:
    with database.begin() as connection:
        connection.exec_driver_sql(f"GRANT ALL ON holdfast.hold TO {READER}")
        roles.apply(connection, MATRIX, NOBODYS)
    assert refuses(as_role(database, READER), "SELECT subject_key FROM holdfast.hold")


def test_to_give_rights_again_takes_none_away(database: sa.Engine) -> None:
    engine = as_role(database, "holdfast_emergency")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE emergency.made_for_an_extract (n int)")
    with database.begin() as connection:
        roles.apply(connection, MATRIX, NOBODYS)
        roles.apply(connection, MATRIX, NOBODYS)
    assert not refuses(engine, "SELECT 1 FROM emergency.made_for_an_extract")
    assert not refuses(engine, "TRUNCATE emergency.inventory")
    assert not refuses(engine, "INSERT INTO emergency.inventory DEFAULT VALUES")
    engine.dispose()


def test_every_step_has_one_role() -> None:
    named = [step for role in MATRIX.roles.values() for step in role.steps]
    assert len(named) == len(set(named))
    for step in named:
        package, _, function = step.partition(".")
        steps = importlib.import_module(f"holdfast.{package}.steps")
        assert not function or callable(getattr(steps, function))
    assert MATRIX.of_step("retention.refresh_holds") == KEEPER
    assert MATRIX.of_step("retention.verify_run") == ENFORCER
    with pytest.raises(SettingsError, match=r"No role works the step payroll\.pay"):
        MATRIX.of_step("payroll.pay")


def test_a_login_that_may_not_work_as_the_role_is_refused(database: sa.Engine, tmp_path: Path) -> None:
    loaded = Settings(tmp_path, tmp_path, database.url.render_as_string(hide_password=False))
    with pytest.raises(DatabaseUnreachable) as caught:
        hf_database.connect(loaded, "nobody_made_this")
    assert "let our login work as nobody_made_this" in caught.value.fix


def test_a_login_that_may_not_give_rights_says_who_must(database: sa.Engine) -> None:
    with database.begin() as connection:
        connection.exec_driver_sql("SET LOCAL ROLE holdfast_reader")
        with pytest.raises(MigrationError, match="may not make the roles") as caught:
            roles.apply(connection, MATRIX, NOBODYS)
        connection.rollback()
    assert "CREATEROLE" in caught.value.fix
