"""Who changed the policy, when, and what it says since: from version control, which keeps what a file cannot."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from holdfast.errors import PolicyError
from holdfast.policy.diff import Change, diff
from holdfast.policy.load import DOCUMENTS, load_revision
from holdfast.policy.model import Policy

_FIELDS = "%H%x00%cI%x00%an%x00%s"


@dataclass(frozen=True)
class Revision:
    """One change in version control. Without `digest` it was no policy by today's models, and `changes` say nothing."""

    commit: str
    at: str
    by: str
    subject: str
    digest: str | None
    changes: tuple[Change, ...]


def history(folder: Path) -> Iterator[Revision]:
    """Every revision in which one of the three files changed, newest first. Raises PolicyError without version control.

    What the first revision added is left out: it is the policy as a whole. `by` is a member of staff.
    """
    names = [document.file for document in DOCUMENTS]
    command = ["git", "-C", str(folder), "log", f"--format={_FIELDS}", "--", *names]
    logged = subprocess.run(command, capture_output=True, text=True, check=False)
    if logged.returncode != 0:
        raise PolicyError(
            f"{folder} is not under version control ({logged.stderr.strip()}).",
            fix="keep the policy in git: it is the only witness of who changed it.",
        )
    after: tuple[list[str], Policy | None] | None = None
    for line in logged.stdout.splitlines():
        found = line.split("\0"), _at(folder, line.split("\0")[0])
        if after is not None:
            yield _revision(*after, found[1])
        after = found
    if after is not None:
        yield _revision(*after, None)


def _at(folder: Path, commit: str) -> Policy | None:
    try:
        return load_revision(folder, commit, ".")
    except PolicyError:
        return None


def _revision(fields: list[str], policy: Policy | None, before: Policy | None) -> Revision:
    commit, at, by, subject = fields
    changes = diff(before, policy) if before is not None and policy is not None else ()
    return Revision(commit, at, by, subject, policy.digest if policy else None, changes)
