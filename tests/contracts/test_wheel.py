"""A wheel has all that the package reads from its own folder."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from holdfast import settings

PROJECT = settings.load().project


def test_a_wheel_has_every_file_of_the_package(tmp_path: Path) -> None:
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(PROJECT / name, tmp_path)
    caches = shutil.ignore_patterns("__pycache__", "*.egg-info")
    package = shutil.copytree(PROJECT / "plugins" / "holdfast", tmp_path / "plugins" / "holdfast", ignore=caches)
    files = {str(file.relative_to(package.parent)) for file in package.rglob("*") if file.is_file()}
    options = ("--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--disable-pip-version-check")
    subprocess.run([sys.executable, "-m", "pip", "wheel", ".", *options], cwd=tmp_path, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    assert files - set(zipfile.ZipFile(wheel).namelist()) == set()
