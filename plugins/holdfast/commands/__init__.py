"""The command line's groups, one module each: `data.py` with an `app` (a Typer) becomes `holdfast data ...`.

A module here imports nothing heavy at its top: the commands do, when they run.
"""
