"""Holdfast: nightly jobs that keep a communications provider's privacy promises, and prove it.

Everything Holdfast does lives in this package and runs without Airflow; the files in `dags/` only say when and in
which order. Imports run one way (see `[tool.importlinter]` in pyproject.toml).
"""

__version__ = "0.1.0"
