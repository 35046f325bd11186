"""Our own expectations for Great Expectations on pandas, which the benchmark alone needs."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")

import great_expectations as gx
import pandas as pd
from great_expectations.execution_engine import PandasExecutionEngine
from great_expectations.expectations.metrics.map_metric_provider.column_condition_partial import (
    column_condition_partial,
)
from great_expectations.expectations.metrics.map_metric_provider.column_map_metric_provider import (
    ColumnMapMetricProvider,
)
from great_expectations.expectations.metrics.map_metric_provider.column_pair_condition_partial import (
    column_pair_condition_partial,
)
from great_expectations.expectations.metrics.map_metric_provider.column_pair_map_metric_provider import (
    ColumnPairMapMetricProvider,
)
from great_expectations.expectations.metrics.map_metric_provider.multicolumn_condition_partial import (
    multicolumn_condition_partial,
)
from great_expectations.expectations.metrics.map_metric_provider.multicolumn_map_metric_provider import (
    MulticolumnMapMetricProvider,
)

import holdfast.emergency_data.library  # noqa: F401  # makes our expectations known
from holdfast.emergency_data import catalogue

_LISTS: dict[str, pd.DataFrame] = {}
_NUMBERS: set[str] = set()
_FRAME: list[pd.DataFrame] = []


def know(reference: Path, numbers: Path, frame: pd.DataFrame) -> None:
    """Read what the rules look into: the lists, and the provider's numbers."""
    for path in [*reference.glob("*.csv"), *(reference / "invented").glob("*.csv")]:
        with path.open(newline="") as file:
            rows = pd.DataFrame(list(csv.DictReader(file)), dtype=str)
        _LISTS[path.stem] = pd.concat([_LISTS[path.stem], rows]) if path.stem in _LISTS else rows
    _NUMBERS.update(numbers.read_text().split())
    _FRAME.append(frame)


def validate(
    frame: pd.DataFrame, suite: catalogue.Suite, parameters: dict[str, object], *, result_format: str
) -> list[Any]:
    """Validate the records; what the library found, by expectation. COMPLETE names every record, others count them."""
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    asset = context.data_sources.add_pandas("records").add_dataframe_asset("records")
    batch = asset.add_batch_definition_whole_dataframe("all")
    content = _for_python(catalogue.as_json(suite))
    loaded = context.suites.add(gx.ExpectationSuite(name=content["name"], expectations=content["expectations"]))
    validation = context.validation_definitions.add(gx.ValidationDefinition(name="all", data=batch, suite=loaded))
    form: dict[str, Any] = {"result_format": result_format}
    if result_format == "COMPLETE":
        form["unexpected_index_column_names"] = ["record_no"]
    return list(
        validation.run(
            batch_parameters={"dataframe": frame}, expectation_parameters=parameters, result_format=form
        ).results
    )


def _for_python(content: dict[str, Any]) -> dict[str, Any]:
    """The suite with patterns as Python writes them: PostgreSQL marks the ends of a word by letters of its own."""
    for one in content["expectations"]:
        if "regex" in one["kwargs"]:
            one["kwargs"]["regex"] = one["kwargs"]["regex"].replace(r"\m", r"\b").replace(r"\M", r"\b")
    return content


def by_rule(results: list[Any]) -> dict[str, int]:
    """How many records break each rule; in results that are not COMPLETE, how often its expectations are not met."""
    named: dict[str, set[int]] = {}
    counted: dict[str, int] = {}
    for one in results:
        assert "'raised_exception': True" not in str(one.exception_info), one.exception_info
        rule_id = one.expectation_config.meta["rule"]
        named.setdefault(rule_id, set()).update(
            int(row["record_no"]) for row in one.result.get("unexpected_index_list") or []
        )
        counted[rule_id] = counted.get(rule_id, 0) + int(one.result.get("unexpected_count") or 0)
    found = {rule_id: len(rows) for rule_id, rows in named.items()} if any(named.values()) else counted
    return {rule_id: number for rule_id, number in found.items() if number}


def _part(values: pd.Series, part: str) -> pd.Series:
    match part:
        case "upper":
            return values.str.upper()
        case "town":
            return values.str.upper().str.translate({ord("-"): " ", ord("."): None, ord("'"): None})
        case "postcode_area":
            return values.str.upper().str[:2].str.rstrip("0123456789")
        case "area_code":
            digits = values.str[3:7]
            three = digits.str.startswith("11") | ((digits.str[0] == "1") & (digits.str[2] == "1"))
            return digits.str[:2].where(digits.str.startswith("2"), digits.str[:3].where(three, digits))
    return values


class _Listed(ColumnMapMetricProvider):
    condition_metric_name = "column_values.listed"
    condition_value_keys = ("list_name", "part")

    @column_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column: Any, list_name: str, part: str, **kwargs: Any) -> Any:  # noqa: N805
        return _part(column, part).isin(_LISTS[list_name]["key"])


class _NotListed(ColumnMapMetricProvider):
    condition_metric_name = "column_values.not_listed"
    condition_value_keys = ("list_name", "part")

    @column_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column: Any, list_name: str, part: str, **kwargs: Any) -> Any:  # noqa: N805
        return ~_part(column, part).isin(_LISTS[list_name]["key"])


class _DaysBetween(ColumnMapMetricProvider):
    condition_metric_name = "column_values.days_between"
    condition_value_keys = ("earliest", "latest")

    @column_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column: Any, earliest: str | None, latest: str | None, **kwargs: Any) -> Any:  # noqa: N805
        right = pd.Series(True, index=column.index)
        if earliest is not None:
            right &= column >= earliest
        if latest is not None:
            right &= column <= latest
        return right


class _InInventory(ColumnMapMetricProvider):
    condition_metric_name = "column_values.in_inventory"

    @column_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column: Any, **kwargs: Any) -> Any:  # noqa: N805
        return column.isin(_NUMBERS)


class _PairListed(ColumnPairMapMetricProvider):
    condition_metric_name = "column_pair_values.parts_listed"
    condition_value_keys = ("list_name", "part_a", "part_b")

    @column_pair_condition_partial(engine=PandasExecutionEngine)
    def _pandas(
        cls,  # noqa: N805
        column_A: Any,  # noqa: N803
        column_B: Any,  # noqa: N803
        list_name: str,
        part_a: str,
        part_b: str,
        **kwargs: Any,
    ) -> Any:
        pairs, key = _LISTS[list_name], _part(column_A, part_a)
        both = key + "\t" + _part(column_B, part_b)
        return ~key.isin(pairs["key"]) | both.isin(pairs["key"] + "\t" + pairs["value"])


class _OneNumber(ColumnPairMapMetricProvider):
    condition_metric_name = "column_pair_values.one_number"
    condition_value_keys = ()

    @column_pair_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column_A: Any, column_B: Any, **kwargs: Any) -> Any:  # noqa: N803, N805
        return column_B == "0" + column_A.str[3:]


class _NotBeginning(ColumnPairMapMetricProvider):
    condition_metric_name = "column_pair_values.b_not_beginning_with_a"
    condition_value_keys = ()

    @column_pair_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column_A: Any, column_B: Any, **kwargs: Any) -> Any:  # noqa: N803, N805
        pairs = zip(column_A.str.upper(), column_B.str.upper(), strict=True)
        return pd.Series([not b.startswith(f"{a} ") for a, b in pairs], index=column_A.index)


class _InOrder(MulticolumnMapMetricProvider):
    condition_metric_name = "multicolumn_values.actions_in_order"
    condition_value_keys = ()

    @multicolumn_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column_list: Any, **kwargs: Any) -> Any:  # noqa: N805
        number, action = column_list.columns
        often = column_list[column_list[number].notna() & column_list.duplicated(number, keep=False)]
        wrong = {
            value
            for value, actions in often.groupby(number)[action]
            if actions.nunique() > 1 and actions.tolist() != ["C", "I"]
        }
        return ~column_list[number].isin(wrong)


class _FitsState(MulticolumnMapMetricProvider):
    condition_metric_name = "multicolumn_values.action_fits_state"
    condition_value_keys = ("provider", "extract_type")

    @multicolumn_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column_list: Any, extract_type: str, **kwargs: Any) -> Any:  # noqa: N805
        assert extract_type == "FULL"  # a full extract asks nothing of what the authority has
        action = column_list.iloc[:, 1]
        return (action == "I") | action.isna()


class _AtMost(MulticolumnMapMetricProvider):
    condition_metric_name = "multicolumn_values.occur_at_most"
    condition_value_keys = ("times", "distinct")

    @multicolumn_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column_list: Any, times: int, distinct: str | None, **kwargs: Any) -> Any:  # noqa: N805
        (frame,) = _FRAME
        keys = list(column_list.columns)
        counted = frame[frame["action"] != "C"].dropna(subset=keys).groupby(keys, sort=False)
        number = counted.size() if distinct is None else counted[distinct].nunique()
        often = number[number > times].index
        return ~pd.MultiIndex.from_frame(column_list).isin(often)
