"""Imports run one way, and the package does not know Airflow: what pyproject.toml declares is true."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from holdfast import settings


def test_imports_run_one_way() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [linter, "--no-cache"], cwd=settings.load().project, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert "2 kept, 0 broken" in done.stdout


def test_the_package_is_imported_without_airflow() -> None:
    code = "import sys, holdfast.cli, holdfast.retention.steps; sys.exit('airflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
