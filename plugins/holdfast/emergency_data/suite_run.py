"""Run a suite with Great Expectations on PostgreSQL. What comes back is counts and record numbers, never a value."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from holdfast.emergency_data import catalogue
from holdfast.errors import RuleSetError

_COUNTS: Mapping[str, Any] = {"result_format": "BASIC", "partial_unexpected_count": 0}
_IN_MEMORY = "-c work_mem=192MB -c hash_mem_multiplier=8"
"""As sql/emergency/work_in_memory.sql: a list that does not fit is gone through for each record, with the server's
defaults from some 150,000 numbers on."""
_EVERY_RECORD = 10_000_000  # on a database the library lists so many records at most, even if asked for all
_EACH_RECORD: Mapping[str, Any] = {
    "result_format": "COMPLETE",
    "unexpected_index_column_names": ["record_no"],
    "partial_unexpected_count": _EVERY_RECORD,
}


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
    document: Path | None = None,
) -> list[Outcome]:
    """Validate the records, and write the library's page of that to `document`, if one is given.

    Raises RuleSetError if an expectation could not be evaluated: that is not a pass. A document of single records is
    refused with ValueError: it would quote them.
    """
    if with_records and document is not None:
        raise ValueError("a document holds counts only")
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    import great_expectations as gx

    from holdfast.emergency_data import data_docs

    importlib.import_module("holdfast.emergency_data.library")  # makes our expectations known
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}  # type: ignore[assignment]
    url = engine.url.update_query_dict({"options": _IN_MEMORY}).render_as_string(hide_password=False)
    source = context.data_sources.add_sql("records", connection_string=url)
    asset = source.add_table_asset(table.name, table_name=table.name, schema_name=table.schema)
    batch = asset.add_batch_definition_whole_table("all")
    content = catalogue.as_json(suite)
    loaded = context.suites.add(gx.ExpectationSuite(name=content["name"], expectations=content["expectations"]))
    validation = context.validation_definitions.add(gx.ValidationDefinition(name=suite.name, data=batch, suite=loaded))
    form = _EACH_RECORD if with_records else _COUNTS
    result = validation.run(expectation_parameters=dict(parameters), result_format=dict(form))
    outcomes = [_outcome(one, with_records) for one in result.results]
    if document is not None:
        data_docs.write(result, document)
    return outcomes


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
