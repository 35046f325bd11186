"""The rules of records as data: `expectations/emergency_data/records.json`, a suite of Great Expectations.

It is read here without the library, whose import takes seconds. What the layout says of each field (length, characters,
mandatory) is turned into expectations of the same kind, so that a suite for a layout is complete.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from holdfast.emergency_data.layout import Layout
from holdfast.errors import RuleSetError
from holdfast.policy.documents import read_document

PARAMETER = "$PARAMETER"
Severity = Literal["critical", "warning"]
NOT_A_CEASE = {"type": "comparison", "column": {"name": "action"}, "operator": "!=", "parameter": "C"}


@dataclass(frozen=True)
class Rule:
    """What a rule id means. Critical stops the record; a warning lets it pass."""

    rule_id: str
    severity: Severity
    meaning: str
    fix: str
    owner: str


@dataclass(frozen=True)
class Expectation:
    """One expectation of a suite; several may make up a rule. `row_condition` is the library's, as JSON."""

    type: str
    kwargs: Mapping[str, Any]
    rule: Rule

    @property
    def row_condition(self) -> Mapping[str, Any] | None:
        condition: Mapping[str, Any] | None = self.kwargs.get("row_condition")
        return condition

    def with_parameters(self, parameters: Mapping[str, object]) -> dict[str, Any]:
        """The kwargs with the values of a run in place of their names. Raises RuleSetError for a name not given."""
        return {key: self._given(value, parameters) for key, value in self.kwargs.items()}

    def _given(self, value: Any, parameters: Mapping[str, object]) -> Any:
        if not isinstance(value, dict) or PARAMETER not in value:
            return value
        name = value[PARAMETER]
        if name not in parameters:
            raise RuleSetError(
                f"Rule {self.rule.rule_id} needs the parameter {name}, which a run does not give.",
                fix=f"use one of {', '.join(sorted(parameters))}.",
            )
        return parameters[name]


@dataclass(frozen=True)
class Suite:
    """The rules for one layout. `digest` names them; it is what a release's manifest calls the rule set."""

    name: str
    expectations: tuple[Expectation, ...]
    digest: str

    @property
    def rules(self) -> dict[str, Rule]:
        """By rule id, in the order of the ids' numbers."""
        found = {one.rule.rule_id: one.rule for one in self.expectations}
        return dict(sorted(found.items(), key=lambda item: (item[0][1:], item[0])))

    @property
    def critical(self) -> list[str]:
        return [rule_id for rule_id, rule in self.rules.items() if rule.severity == "critical"]

    def without(self, switched_off: Mapping[str, str]) -> Suite:
        """The suite without some rules, each with the reason. Raises RuleSetError for a rule that there is not."""
        if unknown := sorted(set(switched_off) - set(self.rules)):
            raise RuleSetError(f"There is no rule {', '.join(unknown)} to switch off.", fix="correct bounds.yaml.")
        left = tuple(one for one in self.expectations if one.rule.rule_id not in switched_off)
        return Suite(self.name, left, _digest([self.digest, sorted(switched_off)]))


def load(path: Path, layout: Layout) -> Suite:
    """The suite of a file for a layout. Raises RuleSetError if an expectation does not say what it must."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        shipped = [_expectation(one["type"], one["kwargs"], one["meta"]) for one in content["expectations"]]
        named = {rule_id: _rule({"rule": rule_id, **meta}) for rule_id, meta in content["meta"]["layout_rules"].items()}
    except (OSError, json.JSONDecodeError, KeyError, TypeError) as error:
        raise RuleSetError(
            f"{path} is no suite of rules ({type(error).__name__}: {error}).",
            fix="give each expectation type, kwargs, and a meta with rule, severity, meaning, fix and owner.",
        ) from error
    expectations = (*shipped, *_of_layout(layout, named))
    _check_unanimous(path, expectations)
    return Suite(f"{content['name']}_{layout.layout}", expectations, _digest([content, layout.model_dump(mode="json")]))


def load_file_rules(path: Path) -> dict[str, Rule]:
    """The rules for files, by id: what each means and what to do. Every one of them stops the file."""
    reading = read_document("files", str(path), path.read_text(encoding="utf-8"))
    content = reading.content
    if reading.problems or not isinstance(content, dict):
        raise RuleSetError(f"{path} is no list of rules.", fix="restore the file.")
    return {
        rule_id: _rule({"rule": rule_id, "severity": "critical", "owner": content["owner"], **words})
        for rule_id, words in content["rules"].items()
    }


def as_json(suite: Suite) -> dict[str, Any]:
    """The suite as the library reads it."""
    return {
        "name": suite.name,
        "expectations": [
            {
                "type": one.type,
                "kwargs": dict(one.kwargs),
                "severity": one.rule.severity,
                "meta": {
                    "rule": one.rule.rule_id,
                    "severity": one.rule.severity,
                    "meaning": one.rule.meaning,
                    "fix": one.rule.fix,
                    "owner": one.rule.owner,
                },
            }
            for one in suite.expectations
        ],
        "meta": {"rule_set": suite.digest},
    }


def _of_layout(layout: Layout, rules: Mapping[str, Rule]) -> Iterator[Expectation]:
    for field in layout.detail.fields:
        if field.name is None:
            continue
        kept = {"row_condition": NOT_A_CEASE}
        column = {"column": field.name}
        if not field.values:  # the file's codes are as long as they are; the rules see other ones
            yield Expectation(
                "expect_column_value_lengths_to_be_between", {**column, "max_value": _canonical(field)}, rules["E304"]
            )
        if field.characters is not None:
            yield Expectation(
                "expect_column_values_to_match_regex",
                {**column, "regex": f"^(?:{field.characters})$"},
                rules["E305"],
            )
        if field.mandatory:
            always = field.name in ("line_no", "action", "number_e164", "effective_from")
            yield Expectation(
                "expect_column_values_to_not_be_null", column if always else {**column, **kept}, rules["E313"]
            )


def _canonical(field: Any) -> int:
    """Days are written as YYYY-MM-DD for the rules, however short the file has them."""
    return max(field.length, 10) if field.kind == "date" else int(field.length)


def _expectation(kind: str, kwargs: Mapping[str, Any], meta: Mapping[str, str]) -> Expectation:
    return Expectation(kind, kwargs, _rule(meta))


def _rule(meta: Mapping[str, str]) -> Rule:
    severity = meta["severity"]
    if severity not in ("critical", "warning"):
        raise TypeError(f"the severity {severity!r} is neither critical nor warning")
    return Rule(
        rule_id=meta["rule"],
        severity="critical" if severity == "critical" else "warning",
        meaning=meta["meaning"],
        fix=meta["fix"],
        owner=meta["owner"],
    )


def _check_unanimous(path: Path, expectations: tuple[Expectation, ...]) -> None:
    known: dict[str, Rule] = {}
    for one in expectations:
        if known.setdefault(one.rule.rule_id, one.rule) != one.rule:
            raise RuleSetError(
                f"{path} says two things of rule {one.rule.rule_id}.", fix="give its expectations the same meta."
            )


def _digest(content: object) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()
