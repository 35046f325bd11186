"""Airflow's own account of what ran: copied out of its reach, and compared with the ledger and the calendar.

Airflow's history is no evidence by itself: it can be edited, marked and cleaned, and shows failures that were
successes. So it is read through Airflow's public REST API, as any user could, and kept beside the ledger under a digest
that the ledger has; wherever the three disagree somebody is told.
"""
