"""Keys that sign: made, kept in a file that its owner alone reads, and never in the database or the repository.

A key's name is the ledger's name, the first line of every checkpoint. The file is one line, in the form in which the
first implementation of signed notes (Go's) keeps private keys. A witness's key is of the same form; what it signs says
when it saw the checkpoint.
"""

from __future__ import annotations

import base64
import datetime as dt
import os
import secrets
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from holdfast.errors import SettingsError
from holdfast.evidence.offline import ED25519, Note, PublicKey, cosigned_message
from holdfast.settings import LEDGER_KEY, Settings
from holdfast.store import private_folder, write_whole

_BEGINNING = "PRIVATE+KEY"


@dataclass(frozen=True, repr=False)
class SigningKey:
    """A private key. It shows its public half alone."""

    public: PublicKey
    seed: bytes

    @classmethod
    def generate(cls, name: str, algorithm: int = ED25519) -> SigningKey:
        """A new key. ValueError if the name is empty or has a space or a plus sign, which no key's name may have."""
        if not name or "+" in name or name.split() != [name]:
            raise ValueError(f"{name!r} cannot be the name of a key")
        return cls._of(name, algorithm, secrets.token_bytes(32))

    @classmethod
    def parse(cls, text: str) -> SigningKey:
        """Read the text of a key. ValueError if it is not exactly one; the message does not quote it."""
        try:
            material = base64.b64decode(text.strip().split("+", 4)[4], validate=True)
            key = cls._of(text.split("+", 3)[2], material[0], material[1:])
            if key.text() == text.strip():
                return key
        except (IndexError, ValueError):
            pass
        raise ValueError("not a private key")

    @classmethod
    def _of(cls, name: str, algorithm: int, seed: bytes) -> SigningKey:
        public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
        return cls(PublicKey(name, algorithm, public), seed)

    def text(self) -> str:
        """What the file has."""
        material = base64.b64encode(bytes([self.public.algorithm]) + self.seed).decode()
        return f"{_BEGINNING}+{self.public.name}+{self.public.id.hex()}+{material}"

    def __repr__(self) -> str:
        return f"SigningKey({self.public})"

    def sign(self, text: str) -> Note:
        """The text with this key's signature."""
        return Note(text, (self._line(self._signature(text.encode())),))

    def cosign(self, note: Note, at: dt.datetime) -> Note:
        """The note with the witness's signature in place of any that it made before."""
        seconds = int(at.timestamp())
        line = self._line(seconds.to_bytes(8, "big") + self._signature(cosigned_message(seconds, note.text)))
        others = (one for one in note.signatures if one[0] != line[0] or one[1][:4] != line[1][:4])
        return replace(note, signatures=(*others, line))

    def _signature(self, message: bytes) -> bytes:
        return Ed25519PrivateKey.from_private_bytes(self.seed).sign(message)

    def _line(self, signature: bytes) -> tuple[str, bytes]:
        return self.public.name, self.public.id + signature


def load(path: Path) -> SigningKey:
    """The key in a file. Raises SettingsError if it is not there, is none, or others than its owner may read it."""
    if not path.exists():
        raise SettingsError(f"There is no signing key {path}.", fix="make one with `holdfast evidence key new`.")
    if path.stat().st_mode & 0o077:
        raise SettingsError(
            f"Others than its owner may read the signing key {path}.",
            fix="find out who read it; then `holdfast evidence key rotate`, or `chmod 600` if nobody can have.",
        )
    try:
        return SigningKey.parse(path.read_text(encoding="utf-8"))
    except ValueError:
        raise SettingsError(
            f"{path} is not a signing key.", fix="restore it from its backup; if it is lost, make a new one."
        ) from None


def key_of(settings: Settings) -> SigningKey:
    """The ledger's key, as the environment gives it or from its file. Raises SettingsError if there is none."""
    if settings.ledger_key_text is None:
        return load(settings.ledger_key)
    try:
        return SigningKey.parse(settings.ledger_key_text)
    except ValueError:
        raise SettingsError(
            f"{LEDGER_KEY} is not a signing key.", fix="give it the one line of the file `keys/ledger.key`."
        ) from None


def has_key(settings: Settings) -> bool:
    """Whether there is a key yet."""
    return settings.ledger_key_text is not None or settings.ledger_key.exists()


def key_or_made(settings: Settings) -> SigningKey:
    """The same; made if there is none. Raises SettingsError where the other machines would not have what is made."""
    if has_key(settings):
        return key_of(settings)
    if settings.is_shared:
        raise SettingsError(
            "There is no key to sign the ledger with, and the other machines would not have one that is made here.",
            fix=f"make one with `holdfast evidence key new`, and give every machine its text as {LEDGER_KEY}.",
        )
    return load_or_make(settings.ledger_key)


def save(key: SigningKey, path: Path) -> None:
    """Write a key, readable by its owner alone. Raises SettingsError rather than replace one."""
    if path.exists():
        raise SettingsError(f"There is a signing key {path} already.", fix="keep it, or replace it by rotation.")
    private_folder(path.parent)
    write_whole(path, (key.text() + "\n").encode())


def load_or_make(path: Path) -> SigningKey:
    """The ledger's key; made under a name by chance if there is none, for an installation that nobody has set up."""
    if not path.exists():
        made = SigningKey.generate(f"holdfast-{secrets.token_hex(4)}")
        partial = path.with_name(f".{made.public.name}.partial")
        save(made, partial)
        try:
            os.link(partial, path)  # fails if another process made one since; then that is the key
        except FileExistsError:
            pass
        finally:
            partial.unlink()
    return load(path)
