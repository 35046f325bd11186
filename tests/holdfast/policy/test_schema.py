"""The schemas that editors use are fresh, accept the shipped files, and refuse what the models refuse."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from tests.holdfast.policy import shop

from holdfast import settings
from holdfast.policy.documents import read_document
from holdfast.policy.load import DOCUMENTS
from holdfast.policy.schema import FOLDER, schemas, write_schemas

SHIPPED = settings.load().policy


@pytest.mark.parametrize("name", sorted(schemas()))
def test_the_shipped_schema_is_what_the_models_say_today(name: str) -> None:
    shipped = (SHIPPED / FOLDER / name).read_text(encoding="utf-8")
    assert shipped == schemas()[name], "run `holdfast policy schema` and commit the result"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_each_file_points_at_its_schema_and_fits_it(document) -> None:  # type: ignore[no-untyped-def]
    path = SHIPPED / document.file
    text = path.read_text(encoding="utf-8")
    name = f"{path.stem}.json"
    assert text.startswith(f"# yaml-language-server: $schema={FOLDER}/{name}\n")
    schema = json.loads(schemas()[name])
    jsonschema.Draft202012Validator.check_schema(schema)
    for content in (text, shop.TEXTS[document.file]):
        jsonschema.validate(read_document(document.name, document.file, content).content, schema)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("strength: maximum", "strenght: maximum"),
        ("period: P90D", "period: 90 days"),
        ('to: "null"', "to: null"),
        ("deletion_class: brief", "deletion_class: Brief"),
        ("{column: taken_on}", "{}"),
        ('"03-31"', '"31 March"'),
        ("holds: [COURT, UNPAID]", "holds: none"),
    ],
)
def test_an_editor_marks_the_common_slips(old: str, new: str) -> None:
    text = shop.SCHEDULE.replace(old, new)
    content = read_document("schedule", "retention_schedule.yaml", text).content
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(content, json.loads(schemas()["retention_schedule.json"]))


def test_schemas_are_written_below_the_policy_folder(tmp_path: Path) -> None:
    written = write_schemas(tmp_path)
    assert {path.relative_to(tmp_path).as_posix() for path in written} == {f"schema/{name}" for name in schemas()}
    assert all(path.read_text(encoding="utf-8") == schemas()[path.name] for path in written)
