"""Airflow imports every file below `plugins/` under its bare name, unless `.airflowignore` says not to."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

PLUGINS = Path(__file__).parents[2] / "plugins"

_LOAD = """
import json, logging, sys
logging.disable()
from airflow import plugins_manager
plugins, errors = plugins_manager._get_plugins()
import statistics
print(json.dumps({
    "plugins": [plugin.name for plugin in plugins],
    "errors": errors,
    "statistics": statistics.__file__,
    "modules": sorted(sys.modules),
}))
"""


def test_our_plugin_is_the_only_thing_airflow_finds(tmp_path: Path) -> None:
    loaded = _load(PLUGINS, tmp_path)
    assert "holdfast" in loaded["plugins"]
    assert loaded["errors"] == {}
    stems = {path.stem for path in PLUGINS.joinpath("holdfast").rglob("*.py")} - {"__init__"}
    ours_by_bare_name = {name for name in stems & set(loaded["modules"]) if name not in sys.stdlib_module_names}
    assert not ours_by_bare_name & {"keeper", "plan", "predicate", "decide", "provider"}


def test_a_module_of_ours_never_replaces_one_of_the_standard_library(tmp_path: Path) -> None:
    loaded = _load(_with_a_statistics_module(tmp_path), tmp_path)
    assert Path(loaded["statistics"]).is_relative_to(Path(os.__file__).parent)


def test_without_the_ignore_file_it_would(tmp_path: Path) -> None:
    plugins = _with_a_statistics_module(tmp_path)
    plugins.joinpath(".airflowignore").unlink()
    assert Path(_load(plugins, tmp_path)["statistics"]).is_relative_to(plugins)


def _with_a_statistics_module(folder: Path) -> Path:
    plugins = folder / "plugins"
    module = plugins / "holdfast" / "suspension_statistics" / "statistics.py"
    module.parent.mkdir(parents=True)
    module.write_text("")
    shutil.copy(PLUGINS / ".airflowignore", plugins)
    return plugins


def _load(plugins: Path, home: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", _LOAD],
        env=os.environ | {"AIRFLOW_HOME": str(home / "airflow"), "AIRFLOW__CORE__PLUGINS_FOLDER": str(plugins)},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return loaded
