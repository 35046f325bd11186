"""The night on one machine: PostgreSQL, Airflow's components as child processes, and the run through their REST API.

`holdfast run` is for a first look, for tests and for small installations; a larger one runs Airflow its own way and
needs nothing from here. Airflow is never imported: it is started with `python -m airflow` and asked over loopback.
"""
