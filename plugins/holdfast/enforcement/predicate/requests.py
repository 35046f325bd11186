"""What a night of deletion requests works through: whole rows, and single categories of rows that stay."""

from __future__ import annotations

from dataclasses import dataclass, replace

import sqlalchemy as sa

from holdfast import queries
from holdfast.enforcement.predicate.anonymise import are_done, new_values
from holdfast.enforcement.predicate.base import Predicate, Setting
from holdfast.enforcement.predicate.erasure import PREFIX, Asked, ErasurePredicate, scope_table
from holdfast.enforcement.predicate.rows import Bool, Rows, exists
from holdfast.policy import parts
from holdfast.policy.model import Anonymise, Delete, Strategy

PART_PREFIX = "empty:"


@dataclass(frozen=True)
class ErasureSetting(Setting):
    """The nightly run of deletion requests: its work is each dataset with a rule, under the id `erase:<dataset>`.

    And under `empty:<dataset>` the columns of single categories, where tonight's requests ask for those: `parts` pairs
    datasets with categories.
    """

    parts: frozenset[tuple[str, str]] = frozenset()

    def work(self, dataset: str | None = None) -> list[str]:
        names = [dataset] if dataset is not None else list(self.policy.data_map.datasets)
        in_part = {name for name, _ in self.parts}
        found = []
        for name in names:
            if self.policy.rules_for(name):
                found.append(PREFIX + name)
                found += [PART_PREFIX + name] if name in in_part else []
        return found

    def predicate(self, work_id: str, rows: Rows | None = None) -> ErasurePredicate:
        if work_id.startswith(PART_PREFIX):
            return PartPredicate(self, work_id.removeprefix(PART_PREFIX), rows)
        return ErasurePredicate(self, work_id.removeprefix(PREFIX), rows)

    def tonight(self, connection: sa.Connection) -> ErasureSetting:
        asked = queries.run(connection, "enforcement/parts_asked_for").all()
        return replace(self, parts=frozenset((row.dataset, row.category) for row in asked))


class PartPredicate(ErasurePredicate):
    """The rows of which ready requests ask for single categories: the columns are emptied, the row stays."""

    prefix = PART_PREFIX

    @property
    def deals_with_the_record(self) -> bool:
        return False

    def requested(self) -> Bool:
        """A request that may be carried out asks for some of it, and none for the whole row."""
        return sa.and_(self._by_subject(), ~self._whole())

    def asked(self) -> list[Asked]:
        return self._asked_by_subject(lambda _: ~self._whole(), lambda scope: ~self._is_named_too(scope))

    def asked_in(self, scope: sa.FromClause) -> Bool:
        return sa.and_(scope.c.dataset == sa.literal(self.dataset, sa.Text), scope.c.categories.is_not(None))

    def done(self) -> Bool:
        """Every column of every category that is asked for of the row is empty."""
        cuts = self._cuts().items()
        return sa.and_(
            sa.true(), *(sa.or_(~self._is_asked_for(one), are_done(self.rows, columns)) for one, columns in cuts)
        )

    def new_values(self, key: bytes) -> dict[str, sa.ColumnElement[object]]:
        values: dict[str, sa.ColumnElement[object]] = {}
        for category, columns in self._cuts().items():
            emptied = new_values(self.rows, Anonymise(do="anonymise", columns=columns), key)
            for name, value in emptied.items():
                values[name] = sa.case((self._is_asked_for(category), value), else_=self.rows.column(name))
        return values

    @staticmethod
    def _action_in(setting: Setting, dataset: str) -> Delete | Anonymise:
        cuts = _cuts(setting, dataset).values()
        return Anonymise(do="anonymise", columns={name: how for columns in cuts for name, how in columns.items()})

    def _would_leave_nothing(self, rule: Predicate) -> bool:
        return rule.deletes

    def _cuts(self) -> dict[str, dict[str, Strategy]]:
        return _cuts(self.setting, self.dataset)

    def _whole(self) -> Bool:
        return ErasurePredicate(self.setting, self.dataset, self.rows).requested()

    def _is_named_too(self, scope: sa.FromClause) -> Bool:
        """The same request names the whole record."""
        other = scope_table()
        named = (other.c.dataset == sa.literal(self.dataset, sa.Text), other.c.record_key.is_not(None))
        this = self.holding.key_from(other.c.record_key) == self.holding.record_value()
        return exists([other], other.c.request_id == scope.c.request_id, *named, this)

    def _is_asked_for(self, category: str) -> Bool:
        return self._by_subject(lambda scope: _names(scope, category))

    def _done_for(self, scope: sa.FromClause) -> Bool:
        cuts = self._cuts().items()
        return sa.and_(sa.true(), *(sa.or_(~_names(scope, one), are_done(self.rows, columns)) for one, columns in cuts))


def _cuts(setting: Setting, dataset: str) -> dict[str, dict[str, Strategy]]:
    """What tonight's requests may empty in a dataset: category -> its columns, each with what is done to it."""
    asked = setting.parts if isinstance(setting, ErasureSetting) else frozenset()
    known = setting.policy.data_map.datasets[dataset]
    return {one: parts.cut_out(known, one) for name, one in sorted(asked) if name == dataset}


def _names(scope: sa.FromClause, category: str) -> Bool:
    return sa.literal(category, sa.Text) == sa.func.any(scope.c.categories)
