"""JSON Schemas of the policy files, for editors: completion, and a mark at a misspelt key while it is typed.

They are made from the models and checked in below policy/schema/, where the first line of each YAML file points. They
say less than `holdfast policy check`: they see one file, and no database.
"""

from __future__ import annotations

import json
from pathlib import Path

from pydantic.json_schema import GenerateJsonSchema

from holdfast.policy.load import DOCUMENTS
from holdfast.policy.model import Strict

FOLDER = "schema"


def schemas() -> dict[str, str]:
    """The text of each schema, by file name."""
    return {f"{Path(document.file).stem}.json": _schema(document.model) for document in DOCUMENTS}


def write_schemas(folder: Path) -> list[Path]:
    """Write the schemas to `schema/` below a policy folder; the paths written."""
    written = []
    for name, text in schemas().items():
        path = folder / FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


def _schema(model: type[Strict]) -> str:
    schema = {"$schema": GenerateJsonSchema.schema_dialect, **model.model_json_schema()}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
