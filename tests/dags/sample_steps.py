"""Steps that do, or suffer, what real ones may; test_step.py calls them as Airflow would."""

from __future__ import annotations

import decimal

import sqlalchemy as sa

from holdfast import errors
from holdfast.settings import Settings

SECRET = "Ada Example, 020 7946 0123"


def count(engine: sa.Engine, settings: Settings, *, run_id: int) -> dict[str, object]:
    with engine.connect() as connection:
        database = connection.execute(sa.text("SELECT current_database()")).scalar_one()
    return {"run_id": run_id, "database": database, "labels": ["a", "b"], "exceeded": False}


def quote_a_row(engine: sa.Engine, settings: Settings) -> None:
    with engine.connect() as connection:
        connection.execute(sa.text("SELECT cast(:value AS integer)"), {"value": SECRET})


def lose_the_server(engine: sa.Engine, settings: Settings) -> None:
    with engine.connect() as connection:
        connection.execute(sa.text("SET ROLE NONE"))  # a step's role may end nobody's session, not even its own
        connection.execute(sa.text("SELECT pg_terminate_backend(pg_backend_pid())"))


def refuse(engine: sa.Engine, settings: Settings) -> None:
    raise errors.PlanChanged("The plan is not the approved one.", fix="approve the new plan.", rule="calls")


def find_no_database(engine: sa.Engine, settings: Settings) -> None:
    raise errors.DatabaseUnreachable("The database does not answer.", fix="start it.")


def return_a_sum(engine: sa.Engine, settings: Settings) -> object:
    return {"sum": decimal.Decimal("1.5")}


def return_rows(engine: sa.Engine, settings: Settings) -> object:
    return {"rows": ["x" * 80] * 1000}


def who(engine: sa.Engine, settings: Settings) -> str:
    with engine.connect() as connection:
        return str(connection.execute(sa.text("SELECT current_user")).scalar_one())
