"""What happens to files on their way, or before they leave: each kind turns the bytes of a sound file into others."""

from __future__ import annotations

import random
from collections.abc import Callable

Damage = Callable[[bytes, random.Random], bytes]


def _cut_off(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content))]


def _piece_missing(content: bytes, chance: random.Random) -> bytes:
    start, end = _places(content, chance)
    return content[:start] + content[end:]


def _piece_repeated(content: bytes, chance: random.Random) -> bytes:
    start, end = _places(content, chance)
    return content[:start] + content[start:end] * chance.choice((2, 50)) + content[end:]


def _places(content: bytes, chance: random.Random) -> tuple[int, int]:
    start, end = sorted(chance.sample(range(len(content) + 1), 2))
    return start, end


def _byte_changed(content: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(content))
    return content[:at] + bytes([chance.randrange(256)]) + content[at + 1 :]


def _nuls(content: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(content) + 1)
    return content[:at] + b"\0" * chance.choice((1, 100, 5000)) + content[at:]


def _shuffled(content: bytes, chance: random.Random) -> bytes:
    lines = content.splitlines(keepends=True)
    chance.shuffle(lines)
    return b"".join(lines)


def _line_missing(content: bytes, chance: random.Random) -> bytes:
    lines = content.splitlines(keepends=True)
    del lines[chance.randrange(len(lines))]
    return b"".join(lines)


def _line_twice(content: bytes, chance: random.Random) -> bytes:
    lines = content.splitlines(keepends=True)
    lines.insert(chance.randrange(len(lines)), chance.choice(lines))
    return b"".join(lines)


def _other_encoding(content: bytes, chance: random.Random) -> bytes:
    return content.decode("ascii").encode(chance.choice(("utf-16", "utf-32", "utf-8-sig", "cp500")))


def _accents(content: bytes, chance: random.Random) -> bytes:
    letter = chance.choice((b"A", b"E", b"O"))
    return content.replace(letter, "\u00c9".encode(chance.choice(("latin-1", "utf-8", "cp437"))), chance.choice((1, 9)))


def _other_line_ends(content: bytes, chance: random.Random) -> bytes:
    end = b"\r\n" if b"\r\n" in content else b"\n"
    others = [one for one in (b"\r\n", b"\n", b"\r", b"\n\r", b"\r\r\n", b"") if one != end]
    return content.replace(end, chance.choice(others))


def _huge_line(content: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(content) + 1)
    return content[:at] + b"X" * chance.choice((70_000, 300_000, 2_000_000)) + content[at:]


def _other_trailer(content: bytes, chance: random.Random) -> bytes:
    """A digit or letter of the last line is another one: a count, the checksum or the control total."""
    start = content.rindex(b"TRL") + 3
    at = chance.choice([n for n in range(start, len(content) - 2) if chr(content[n]).isalnum()])
    return (
        content[:at]
        + bytes([chance.choice(b"0123456789abcdef".replace(content[at : at + 1], b""))])
        + content[at + 1 :]
    )


def _other_header(content: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(content.splitlines()[0]))
    return content[:at] + bytes([chance.randrange(0x20, 0x7F)]) + content[at + 1 :]


def _quotes(content: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(content) + 1)
    return content[:at] + chance.choice((b'"', b'""', b'"\r\n', b',"', b'",')) + content[at:]


def _another_file_behind(content: bytes, chance: random.Random) -> bytes:
    return content * chance.choice((2, 3))


def _random_bytes(content: bytes, chance: random.Random) -> bytes:
    return chance.randbytes(chance.choice((1, 10, 1000, 100_000)))


def _nothing(content: bytes, chance: random.Random) -> bytes:
    return chance.choice((b"", b"\r\n", b"\0", b" "))


KINDS: dict[str, Damage] = {
    "cut off": _cut_off,
    "a piece missing": _piece_missing,
    "a piece repeated": _piece_repeated,
    "a byte changed": _byte_changed,
    "NUL bytes": _nuls,
    "lines shuffled": _shuffled,
    "a line missing": _line_missing,
    "a line twice": _line_twice,
    "another encoding": _other_encoding,
    "accents": _accents,
    "other line ends": _other_line_ends,
    "a huge line": _huge_line,
    "another trailer": _other_trailer,
    "another header": _other_header,
    "quotes": _quotes,
    "a file twice in one": _another_file_behind,
    "random bytes": _random_bytes,
    "next to nothing": _nothing,
}
