"""What is installed is what the lock names, each file of it by its digest, and nothing else."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

PROJECT = Path(__file__).parents[2]
LOCK = (PROJECT / "requirements.lock").read_text(encoding="utf-8")
OURS_AND_THE_INSTALLER = {"holdfast", "pip"}
ENTRY = re.compile(r"^(?P<requirement>[^\s#].*?)(?: \\)?\n(?P<hashes>(?:    --hash=.*\n)*)", re.MULTILINE)
SAFE_AIRFLOW = Version("3.3.2")
"""Several releases before it let users read or start what they may not."""


def locked() -> dict[str, str]:
    """Package -> version, of those that this Python needs."""
    found = {}
    for entry in ENTRY.finditer(LOCK):
        requirement = Requirement(entry["requirement"])
        (pin,) = requirement.specifier
        assert pin.operator == "==", entry["requirement"]
        if requirement.marker is None or requirement.marker.evaluate():
            found[canonicalize_name(requirement.name)] = pin.version
    return found


def installed() -> dict[str, str]:
    found = {canonicalize_name(one.metadata["Name"]): one.version for one in metadata.distributions()}
    return {name: version for name, version in found.items() if name not in OURS_AND_THE_INSTALLER}


def test_what_is_installed_is_what_is_locked() -> None:
    assert installed() == locked()


def test_every_file_that_may_be_installed_has_its_digest() -> None:
    entries = list(ENTRY.finditer(LOCK))
    assert len(entries) > 100
    assert [entry["requirement"] for entry in entries if "--hash=sha256:" not in entry["hashes"]] == []
    assert re.findall(r"https?://|git\+|file:|--index-url|--find-links", LOCK) == []


def test_whatever_the_project_asks_for_is_locked_within_its_bounds() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = (one for extra in project["optional-dependencies"].values() for one in extra)
    asked = [*project["dependencies"], *(one for one in extras if not one.startswith("holdfast["))]
    versions = locked()
    for requirement in map(Requirement, asked):
        assert requirement.specifier.contains(versions[canonicalize_name(requirement.name)]), requirement


def test_airflow_is_no_release_with_known_holes() -> None:
    assert Version(locked()["apache-airflow"]) >= SAFE_AIRFLOW
