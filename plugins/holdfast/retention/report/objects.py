"""Objects without a row, as a report tells of them: counted, unknown or not looked for, and never one for another."""

from __future__ import annotations

from dataclasses import dataclass

from holdfast.policy.model import Policy
from holdfast.retention.report.registers import Registers


@dataclass(frozen=True)
class ObjectLine:
    """A dataset of which rows stand for files. `why` there are no counts; `is_missing`: there should be."""

    dataset: str
    objects: int | None
    without_row: int | None
    why: str | None
    is_missing: bool


def object_lines(registers: Registers, policy: Policy | None) -> list[ObjectLine]:
    """One for each such dataset. Without a policy, for each that was counted."""
    datasets = policy.data_map.datasets if policy else {}
    folders = {name: one.files.folders for name, one in datasets.items() if one.files is not None}
    counted = {one.dataset: one for one in registers.objects}
    lines = []
    for name in sorted({*folders, *counted}):
        one = counted.get(name)
        if one is None:
            lines.append(ObjectLine(name, None, None, *_not_counted(registers, folders[name])))
        else:
            why = f"unknown: {one.unknown_because}" if one.unknown_because else None
            lines.append(ObjectLine(name, one.objects, one.without_row, why, why is not None))
    return lines


def _not_counted(registers: Registers, folders: tuple[str, ...]) -> tuple[str, bool]:
    if not folders:
        return "not looked for: the data map names no folder", False
    if registers.run.is_dry:
        return "not looked for in a dry run", False
    return "not counted: the run did not get so far", registers.run.state == "sealed"
