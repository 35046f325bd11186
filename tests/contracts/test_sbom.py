"""The bill of materials names what is installed, each by the address that scanners look holes up by."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import canonicalize_name
from tests.contracts.test_lock import PROJECT, locked


@pytest.fixture(scope="module")
def bill(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """As `make sbom` writes it, but for the schema's check, which takes a minute."""
    file = tmp_path_factory.mktemp("sbom") / "sbom.cdx.json"
    tool = [Path(sys.executable).with_name("cyclonedx-py"), "environment", "--no-validate", "--of", "JSON", "-o", file]
    subprocess.run([*tool, "--pyproject", PROJECT / "pyproject.toml", sys.executable], check=True, capture_output=True)
    made: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return made


def test_it_names_whatever_is_locked_by_name_version_and_address(bill: dict[str, Any]) -> None:
    named = {canonicalize_name(one["name"]): (one["version"], one.get("purl", "")) for one in bill["components"]}
    found = {name: named[name][0] for name in locked() if name in named}
    assert found == locked()
    addresses = {name: canonicalize_name(named[name][1].removeprefix("pkg:pypi/").partition("@")[0]) for name in found}
    assert addresses == {name: name for name in found}


def test_it_says_what_needs_what(bill: dict[str, Any]) -> None:
    needs = {one["ref"]: one.get("dependsOn", []) for one in bill["dependencies"]}
    (airflow,) = [ref for ref in needs if ref.startswith("apache-airflow==")]
    assert len(needs[airflow]) > 1
    assert airflow in needs[bill["metadata"]["component"]["bom-ref"]]
