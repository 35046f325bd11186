"""Everywhere that an installation writes, searched for customers' data; and where it is meant to be, and why."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from tests.night.canaries import Canaries, Find
from tests.night.installation import Installation

from holdfast import database
from holdfast.night import postgres

MEANT_FOLDERS = {
    "postgres": "the provider's own tables; the server's log beside them is searched",
    "letters": "letters to people, with name and address, for the job's user alone",
    "emergency": "999 extracts as they came, were refused and were released, and the answers to them",
    "inbox": "files of requests as they came from outside, kept as they were for some days",
    "objects": "the invented provider's object store",
}
"""Where personal data may lie below the home. Anything else that holds any is a leak."""

MEANT_TABLES = {
    "emergency.quarantine": "records that were stopped, as they came, so that somebody can mend them",
    "emergency.number_record": "what the authority was last told of each number",
    "emergency.inventory": "the provider's numbers, read anew by each run",
    "emergency.reject": "which numbers the authority rejected, until it accepts them",
    "emergency.call_without_data": "which numbers dialled 999 and were not found",
    "emergency.gap": "which numbers the authority lacks, or has and should not",
    "emergency.audit_due": "whose address must be checked again",
}
"""The same for tables of ours, which lie in the database of the data they are about."""

VALUES = """
    SELECT 'name' AS kind, full_name AS value FROM provider.contact
    UNION SELECT 'name', billing_name FROM provider.invoice
    UNION SELECT 'name', payer_name FROM provider.payment
    UNION SELECT 'name', holder_name FROM provider.payment_method
    UNION SELECT 'name', forename || ' ' || name FROM provider.emergency_address
    UNION SELECT 'e-mail', email FROM provider.contact
    UNION SELECT 'e-mail', address FROM provider.suspension_notice WHERE channel = 'email'
    UNION SELECT 'number', phone FROM provider.contact
    UNION SELECT 'number', e164 FROM provider.number
    UNION SELECT 'number', calling FROM provider.call_detail_record
    UNION SELECT 'number', called FROM provider.call_detail_record
    UNION SELECT 'number', sender FROM provider.message
    UNION SELECT 'number', recipient FROM provider.message
    UNION SELECT 'address', address_line FROM provider.contact
    UNION SELECT 'address', premises || ' ' || thoroughfare FROM provider.emergency_address
    UNION SELECT 'postcode', postcode FROM provider.contact
    UNION SELECT 'postcode', postcode FROM provider.emergency_address
    UNION SELECT 'ip', host(ip) FROM provider.login_event
    UNION SELECT 'ip', host(ip) FROM provider.api_request_log
    UNION SELECT 'ip', host(ip) FROM provider.consent
    UNION SELECT 'document', document_number FROM provider.identity_evidence
    UNION SELECT 'card', card_token FROM provider.payment_method
    UNION SELECT 'mandate', mandate_reference FROM provider.payment_method
    UNION SELECT 'message', content FROM provider.message
"""
TABLES = """
    SELECT quote_ident(table_schema) || '.' || quote_ident(table_name) FROM information_schema.tables
    WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema', 'provider')
"""

Found = dict[str, set[Find]]
"""Place -> what is there."""


@dataclass(frozen=True)
class Search:
    """An installation, and what to look for in it."""

    installation: Installation
    canaries: Canaries

    def files(self) -> Found:
        """What is in files, and in their names, below the home but where it is meant to be."""
        home = self.installation.home
        found = {"postgres/log": self.canaries.found_in((home / "postgres" / "log").read_bytes())}
        for path in sorted(home.iterdir()):
            if path.is_file():
                found[path.name] = self._file(path)
            elif path.name not in MEANT_FOLDERS:
                found |= self.folder(path)
        return _only(found)

    def folder(self, folder: Path) -> Found:
        """What is in the files of a folder, and in their names."""
        return _only({str(path.relative_to(folder.parent)): self._file(path) for path in sorted(folder.rglob("*"))})

    def _file(self, path: Path) -> set[Find]:
        content = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        return self.canaries.found_in(content) | self.canaries.found_in(path.name.encode())

    def tables(self, name: str) -> Found:
        """What is in the rows of a database, but for the provider's own schema; also where it is meant to be."""
        with connected(self.installation, name) as connection:
            tables = connection.exec_driver_sql(TABLES).scalars().all()
            return _only({table: self.canaries.found_in(_rows(connection, table)) for table in tables})


def canaries_of(installation: Installation) -> Canaries:
    """Everything that the provider's tables say of somebody."""
    with connected(installation, database.EMBEDDED_DATABASE) as connection:
        rows = connection.exec_driver_sql(VALUES).all()
    return Canaries((row.kind, row.value) for row in rows if row.value)


@contextmanager
def connected(installation: Installation, name: str) -> Iterator[sa.Connection]:
    """A transaction in a database of the embedded server, which stops afterwards."""
    url = sa.make_url(database.url_of(installation.settings)).set(database=name)
    engine = database.engine_for(url.render_as_string(hide_password=False))
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()
        postgres.stop(installation.settings.postgres_data)


def _rows(connection: sa.Connection, table: str) -> bytes:
    rows = connection.exec_driver_sql(f"SELECT cast(to_jsonb(one) AS text) FROM {table} AS one").scalars()
    return "\n".join(rows).encode()


def _only(found: Found) -> Found:
    return {place: finds for place, finds in found.items() if finds}
