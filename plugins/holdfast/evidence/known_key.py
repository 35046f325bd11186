"""The key of pseudonyms must stay the one it was: nobody would be known again under another, and nothing would say so.

The key lies outside the database, in a folder or in the environment, and either can be lost or be another
installation's. So the database keeps the pseudonym of one fixed word, by which a key is known again and not found out.
"""

from __future__ import annotations

import sqlalchemy as sa

from holdfast import queries
from holdfast.errors import SettingsError
from holdfast.evidence.pseudonyms import pseudonym
from holdfast.settings import PSEUDONYM_KEY, Settings

_PURPOSE, _WORD = "key", "holdfast"


def require(connection: sa.Connection, settings: Settings) -> bytes:
    """The installation's key, if it is the one that this database's pseudonyms are made with; the first one always is.

    Raises SettingsError for another.
    """
    key = settings.pseudonym_key()
    proof = pseudonym(key, _PURPOSE, _WORD)
    queries.run(connection, "evidence/note_key", {"proof": proof})
    if queries.run(connection, "evidence/noted_key").scalar_one() != proof:
        raise SettingsError(
            "The key of pseudonyms is not the one that this database's pseudonyms were made with: whoever was erased"
            " would not be known again.",
            fix=f"restore keys/pseudonym.key, or {PSEUDONYM_KEY}, from its backup; if the key is lost for good, see"
            " docs/engineers.md, After a restore.",
        )
    return key
