"""Read the layouts of a folder, `layout_*.yaml`, and find the one to which a file belongs by its name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pydantic

from holdfast.emergency_data.layout import Layout
from holdfast.errors import LayoutError
from holdfast.policy.documents import read_document


def load(path: Path) -> Layout:
    """One layout. Raises LayoutError with the place of the first thing that is wrong."""
    try:
        reading = read_document("layout", str(path), path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise LayoutError(f"{path} cannot be read ({type(error).__name__}).", fix="restore the file.") from error
    if reading.problems:
        raise LayoutError(str(reading.problems[0]), fix="correct that line.")
    try:
        return Layout.model_validate_json(json.dumps(reading.content), strict=True)
    except pydantic.ValidationError as error:
        first = error.errors(include_url=False)[0]
        where: tuple[str, ...] = ("layout",)
        for part in first["loc"]:
            where = (*where, str(part)) if (*where, str(part)) in reading.lines else where
        raise LayoutError(
            f"{path}:{reading.lines.get(where, 1)} {'.'.join(map(str, first['loc']))}: "
            f"{first['msg'].removeprefix('Value error, ')}.",
            fix="see layout_ng999_v1.yaml for what a layout says.",
            problems=error.error_count(),
        ) from None


def load_all(folder: Path) -> dict[str, Layout]:
    """The layouts of a folder by their id. Raises LayoutError if one is wrong or two have the same id."""
    found: dict[str, Layout] = {}
    for path in sorted(folder.glob("layout_*.yaml")):
        layout = load(path)
        if layout.layout in found:
            raise LayoutError(f"{path} has the id of another layout.", fix="give it an id of its own.")
        found[layout.layout] = layout
    if not found:
        raise LayoutError(f"There is no layout_*.yaml in {folder}.", fix="restore the shipped ones.")
    return found


def of_file_name(layouts: dict[str, Layout], name: str) -> Iterator[Layout]:
    """The layouts whose files are called like this."""
    return (layout for layout in layouts.values() if layout.name_pattern.fullmatch(name))
