"""Run a suite with Great Expectations on PostgreSQL. What comes back is counts and record numbers, never a value."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from holdfast.emergency_data import catalogue
from holdfast.errors import RuleSetError

_EVERY_RECORD = 10_000_000  # on a database the library lists so many records at most, even if asked for all


@dataclass(frozen=True)
class Outcome:
    """What one expectation found: how many records it looked at and how many broke it, and which, if asked."""

    rule_id: str
    type: str
    unexpected: int
    record_nos: tuple[int, ...]


def run(
    engine: sa.Engine,
    table: sa.Table,
    suite: catalogue.Suite,
    parameters: Mapping[str, object],
    *,
    with_records: bool = False,
) -> list[Outcome]:
    """Validate the records. Raises RuleSetError if an expectation could not be evaluated: that is not a pass."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    import great_expectations as gx

    importlib.import_module("holdfast.emergency_data.library")  # makes our expectations known
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}  # type: ignore[assignment]
    url = engine.url.render_as_string(hide_password=False)
    source = context.data_sources.add_sql("records", connection_string=url)
    asset = source.add_table_asset(table.name, table_name=table.name, schema_name=table.schema)
    batch = asset.add_batch_definition_whole_table("all")
    content = catalogue.as_json(suite)
    loaded = context.suites.add(gx.ExpectationSuite(name=content["name"], expectations=content["expectations"]))
    validation = context.validation_definitions.add(gx.ValidationDefinition(name=suite.name, data=batch, suite=loaded))
    form: dict[str, Any] = (
        {
            "result_format": "COMPLETE",
            "unexpected_index_column_names": ["record_no"],
            "partial_unexpected_count": _EVERY_RECORD,
        }
        if with_records
        else {"result_format": "BASIC", "partial_unexpected_count": 0}
    )
    result = validation.run(expectation_parameters=dict(parameters), result_format=form)
    return [_outcome(one, with_records) for one in result.results]


def _outcome(result: Any, with_records: bool) -> Outcome:
    config = result.expectation_config
    rule_id = config.meta["rule"]
    if "'raised_exception': True" in str(result.exception_info):
        raise RuleSetError(
            f"The library could not evaluate {config.type} of rule {rule_id}.", fix="run the tests of the suites."
        )
    found = result.result
    listed = found.get("unexpected_index_list") or [] if with_records else []
    return Outcome(
        rule_id=rule_id,
        type=config.type,
        unexpected=int(found.get("unexpected_count") or 0),
        record_nos=tuple(sorted(int(one["record_no"]) for one in listed)),
    )
