"""Who must be told of an erasure or a restriction (UK GDPR Art 19): the recipients that the data map records. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from holdfast.errors import PolicyError
from holdfast.policy import parts
from holdfast.policy.model import Anonymise, Dataset, Policy
from holdfast.policy.requests_model import Telling


@dataclass(frozen=True)
class ToTell:
    """One category of one dataset that a recipient was given, and the notice that what happened to it calls for.

    cut: the category's columns alone were emptied, because nothing but the category was asked for.
    """

    dataset: str
    event: Literal["erase", "anonymise", "cut", "restrict"]
    recipient: str
    category: str
    kind: Literal["erased", "restricted", "emergency_cease"]
    is_required: bool


def to_tell(policy: Policy, tellings: Mapping[str, Telling]) -> tuple[ToTell, ...]:
    """Every notice that can be called for. Raises PolicyError for a recipient that `tellings` does not have.

    Where a dataset is anonymised, a recipient is told only of the columns that the schedule changes.
    """
    found = {one for name in policy.data_map.datasets for one in _of_dataset(policy, name, tellings)}
    return tuple(sorted(found, key=lambda one: (one.dataset, one.event, one.recipient, one.category)))


def _of_dataset(policy: Policy, name: str, tellings: Mapping[str, Telling]) -> Iterable[ToTell]:
    dataset = policy.data_map.datasets[name]
    changed = {
        column
        for rule in policy.rules_for(name).values()
        if isinstance(rule.action, Anonymise)
        for column in rule.action.columns
    }
    for recipient, category, column in _disclosed(dataset):
        telling = _telling(recipient, tellings)
        erased: Literal["erased", "emergency_cease"] = (
            "emergency_cease" if telling is Telling.EMERGENCY_CEASE else "erased"
        )
        is_required = telling.is_sent
        yield ToTell(name, "erase", recipient, category, erased, is_required)
        if column in changed:
            yield ToTell(name, "anonymise", recipient, category, erased, is_required)
        if column in parts.cut_out(dataset, category):
            yield ToTell(name, "cut", recipient, category, erased, is_required)
        if telling is not Telling.EMERGENCY_CEASE:
            yield ToTell(name, "restrict", recipient, category, "restricted", is_required)


def _disclosed(dataset: Dataset) -> Iterable[tuple[str, str, str]]:
    for column, personal in dataset.columns.items():
        for recipient in personal.recipients:
            yield recipient, personal.category, column


def _telling(recipient: str, tellings: Mapping[str, Telling]) -> Telling:
    if recipient not in tellings:
        raise PolicyError(
            f"The data map names the recipient {recipient}, and nothing says how it is told of an erasure.",
            fix=f"add {recipient} to the recipients in policy/deletion_requests.yaml: {', '.join(Telling)}.",
        )
    return tellings[recipient]
