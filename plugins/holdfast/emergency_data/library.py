"""Our expectations for Great Expectations, written its way: a metric for PostgreSQL, and an expectation that asks it.

Import this module only where a suite is run: it imports the library, which takes seconds. What is right and wrong
stands in `conditions`; a suite with these expectations runs wherever this module has been imported.
"""

from __future__ import annotations

from typing import Any, ClassVar

import sqlalchemy as sa
from great_expectations.execution_engine.sqlalchemy_execution_engine import SqlAlchemyExecutionEngine
from great_expectations.expectations.expectation import (
    ColumnMapExpectation,
    ColumnPairMapExpectation,
    MulticolumnMapExpectation,
)
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

from holdfast.emergency_data import conditions
from holdfast.emergency_data.fields import FIELDS

_PAIR_DOMAIN = ("batch_id", "column_A", "column_B", "row_condition", "condition_parser", "ignore_row_if")


class _Listed(ColumnMapMetricProvider):
    condition_metric_name = "column_values.listed"
    condition_value_keys = ("list_name", "part")

    @column_condition_partial(engine=SqlAlchemyExecutionEngine)
    def _sqlalchemy(cls, column: Any, list_name: str, part: str, **kwargs: Any) -> Any:  # noqa: N805
        return conditions.listed(column, list_name, part)


class ExpectColumnValuesToBeListed(ColumnMapExpectation):
    """Expect each value, or the part of it that is meant, to stand in a list of reference data."""

    list_name: str
    part: str
    map_metric = "column_values.listed"
    success_keys: ClassVar[tuple[str, ...]] = ("list_name", "part", "mostly")


class _NotListed(ColumnMapMetricProvider):
    condition_metric_name = "column_values.not_listed"
    condition_value_keys = ("list_name", "part")

    @column_condition_partial(engine=SqlAlchemyExecutionEngine)
    def _sqlalchemy(cls, column: Any, list_name: str, part: str, **kwargs: Any) -> Any:  # noqa: N805
        return conditions.not_listed(column, list_name, part)


class ExpectColumnValuesToNotBeListed(ColumnMapExpectation):
    """Expect no value to stand in a list of reference data."""

    list_name: str
    part: str
    map_metric = "column_values.not_listed"
    success_keys: ClassVar[tuple[str, ...]] = ("list_name", "part", "mostly")


class _Block(ColumnMapMetricProvider):
    condition_metric_name = "column_values.listed_block"
    condition_value_keys = ("list_name",)

    @column_condition_partial(engine=SqlAlchemyExecutionEngine)
    def _sqlalchemy(cls, column: Any, list_name: str, **kwargs: Any) -> Any:  # noqa: N805
        return conditions.starts_with_listed(column, list_name)


class ExpectColumnValuesToStartWithAListedBlock(ColumnMapExpectation):
    """Expect each number to begin with a block of a list."""

    list_name: str
    map_metric = "column_values.listed_block"
    success_keys: ClassVar[tuple[str, ...]] = ("list_name", "mostly")


class _DaysBetween(ColumnMapMetricProvider):
    condition_metric_name = "column_values.days_between"
    condition_value_keys = ("earliest", "latest")

    @column_condition_partial(engine=SqlAlchemyExecutionEngine)
    def _sqlalchemy(cls, column: Any, earliest: str | None, latest: str | None, **kwargs: Any) -> Any:  # noqa: N805
        return conditions.days_between(column, earliest, latest)


class ExpectColumnDaysToBeBetween(ColumnMapExpectation):
    """Expect days that are written as YYYY-MM-DD to lie between two others, ends included."""

    earliest: Any = None
    latest: Any = None
    map_metric = "column_values.days_between"
    success_keys: ClassVar[tuple[str, ...]] = ("earliest", "latest", "mostly")


class _InInventory(ColumnMapMetricProvider):
    condition_metric_name = "column_values.in_inventory"

    @column_condition_partial(engine=SqlAlchemyExecutionEngine)
    def _sqlalchemy(cls, column: Any, **kwargs: Any) -> Any:  # noqa: N805
        return conditions.in_inventory(column)


class ExpectColumnValuesToBeInInventory(ColumnMapExpectation):
    """Expect each number to be one of the provider's."""

    map_metric = "column_values.in_inventory"


class _PairListed(ColumnPairMapMetricProvider):
    condition_metric_name = "column_pair_values.parts_listed"
    condition_value_keys = ("list_name", "part_a", "part_b")

    @column_pair_condition_partial(engine=SqlAlchemyExecutionEngine)
    def _sqlalchemy(
        cls,  # noqa: N805
        column_A: Any,  # noqa: N803
        column_B: Any,  # noqa: N803
        list_name: str,
        part_a: str,
        part_b: str,
        **kwargs: Any,
    ) -> Any:
        return conditions.pair_listed(column_A, column_B, list_name, part_a, part_b)


class ExpectColumnPairPartsToBeListed(ColumnPairMapExpectation):
    """Expect two values to go together as a list has it, if the list knows the first one."""

    ignore_row_if: str = "either_value_is_missing"
    domain_keys: ClassVar[Any] = _PAIR_DOMAIN
    list_name: str
    part_a: str
    part_b: str
    map_metric = "column_pair_values.parts_listed"
    success_keys: ClassVar[tuple[str, ...]] = ("list_name", "part_a", "part_b", "mostly")


class _OneNumber(ColumnPairMapMetricProvider):
    condition_metric_name = "column_pair_values.one_number"
    condition_value_keys = ()

    @column_pair_condition_partial(engine=SqlAlchemyExecutionEngine)
    def _sqlalchemy(cls, column_A: Any, column_B: Any, **kwargs: Any) -> Any:  # noqa: N803, N805
        return conditions.one_number(column_A, column_B)


class ExpectColumnPairToBeOneNumber(ColumnPairMapExpectation):
    """Expect the national number (B) to be the E.164 number (A) with 0 in place of +44."""

    ignore_row_if: str = "either_value_is_missing"
    domain_keys: ClassVar[Any] = _PAIR_DOMAIN
    map_metric = "column_pair_values.one_number"


class _NotBeginning(ColumnPairMapMetricProvider):
    condition_metric_name = "column_pair_values.b_not_beginning_with_a"
    condition_value_keys = ()

    @column_pair_condition_partial(engine=SqlAlchemyExecutionEngine)
    def _sqlalchemy(cls, column_A: Any, column_B: Any, **kwargs: Any) -> Any:  # noqa: N803, N805
        return conditions.not_beginning_with(column_A, column_B)


class ExpectColumnBToNotBeginWithColumnA(ColumnPairMapExpectation):
    """Expect B not to begin with A, as a street does that repeats the number of the house."""

    ignore_row_if: str = "either_value_is_missing"
    domain_keys: ClassVar[Any] = _PAIR_DOMAIN
    map_metric = "column_pair_values.b_not_beginning_with_a"


class _InOrder(MulticolumnMapMetricProvider):
    condition_metric_name = "multicolumn_values.actions_in_order"
    condition_value_keys = ()

    @multicolumn_condition_partial(engine=SqlAlchemyExecutionEngine)
    def _sqlalchemy(cls, column_list: Any, _table: Any, **kwargs: Any) -> Any:  # noqa: N805
        return conditions.in_order(column_list[0], _with_columns(_table))


class ExpectActionsOfANumberToBeInOrder(MulticolumnMapExpectation):
    """Expect a number's actions to be of one kind, or a cease and then an insert. Columns: number, action."""

    map_metric = "multicolumn_values.actions_in_order"


class _FitsState(MulticolumnMapMetricProvider):
    condition_metric_name = "multicolumn_values.action_fits_state"
    condition_value_keys = ("provider", "extract_type")

    @multicolumn_condition_partial(engine=SqlAlchemyExecutionEngine)
    def _sqlalchemy(
        cls,  # noqa: N805
        column_list: Any,
        provider: str,
        extract_type: str,
        _table: Any,
        **kwargs: Any,
    ) -> Any:
        number, action = column_list
        return conditions.fits_state(number, action, provider, extract_type, _with_columns(_table))


class ExpectActionsToFitTheState(MulticolumnMapExpectation):
    """Expect an insert of a number without live record, an amend or cease of one with it. Columns: number, action."""

    provider: Any
    extract_type: Any
    map_metric = "multicolumn_values.action_fits_state"
    success_keys: ClassVar[tuple[str, ...]] = ("provider", "extract_type", "mostly")


class _AtMost(MulticolumnMapMetricProvider):
    condition_metric_name = "multicolumn_values.occur_at_most"
    condition_value_keys = ("times", "distinct")

    @multicolumn_condition_partial(engine=SqlAlchemyExecutionEngine)
    def _sqlalchemy(cls, column_list: Any, times: int, distinct: str | None, _table: Any, **kwargs: Any) -> Any:  # noqa: N805
        return conditions.at_most(list(column_list), times, _with_columns(_table), distinct)


class ExpectCompoundValuesToOccurAtMost(MulticolumnMapExpectation):
    """Expect at most so many inserts and amends, or different values of a further column, to share the values."""

    times: Any
    distinct: str | None = None
    map_metric = "multicolumn_values.occur_at_most"
    success_keys: ClassVar[tuple[str, ...]] = ("times", "distinct", "mostly")


def _with_columns(source: Any) -> sa.FromClause:
    """The records as something whose columns have names: the library may hand over a table, or a selection of it.

    A selection is undone: whether an address or a number occurs too often is a question to the whole file.
    """
    tables = [one for one in sa.sql.visitors.iterate(source) if isinstance(one, sa.Table | sa.TableClause)]
    table = tables[0]
    return sa.table(table.name, sa.column("record_no", sa.BigInteger), *map(sa.column, FIELDS), schema=table.schema)
