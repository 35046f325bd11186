"""Who may do what: four roles, what each may, and which of Airflow's roles stands for which (policy/access.yaml).

Pure. Whom Airflow takes somebody for is its auth manager's matter (`door`); a role that the policy does not name may
nothing at all.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from holdfast.policy.load import load_document
from holdfast.policy.model import Strict

FILE = "access.yaml"


class Role(enum.StrEnum):
    """What somebody is here for. An auditor changes nothing and sees nobody's data."""

    AUDITOR = "auditor"
    ENGINEER = "data engineer"
    COMPLIANCE = "compliance"
    ADMINISTRATOR = "administrator"


class Permission(enum.StrEnum):
    """What a route may ask for. The text completes 'You may not ...'."""

    READ = "read these pages"
    READ_INTERNAL = "read what is not for publication"
    VERIFY = "have the ledger verified"
    TAKE_EVIDENCE = "take evidence away"
    CHANGE_HOLDS = "place or release a hold"
    DECIDE = "decide on requests and exceptions"
    LOOK_UP = "look at somebody's data"


_EVERYBODY = {Permission.READ, Permission.VERIFY, Permission.TAKE_EVIDENCE}
GRANTS: Mapping[Role, frozenset[Permission]] = {
    Role.AUDITOR: frozenset(_EVERYBODY),
    Role.ENGINEER: frozenset(_EVERYBODY),
    Role.COMPLIANCE: frozenset(Permission),
    Role.ADMINISTRATOR: frozenset(set(Permission) - {Permission.LOOK_UP}),
}
"""Personal data are for compliance staff: whoever administers a system has no reason to know its customers."""


@dataclass(frozen=True)
class Identity:
    """Somebody whom Airflow's auth manager knows. `manager` tells whose names `roles` are: `simple` or `fab`, say."""

    id: str
    name: str
    manager: str
    roles: tuple[str, ...]


@dataclass(frozen=True)
class User:
    """An identity, and what it is to us. `id` is that of the log-in, by which the ledger's pseudonyms are made."""

    id: str
    name: str
    roles: frozenset[Role]

    def may(self, permission: Permission) -> bool:
        """Whether one of the roles may."""
        return any(permission in GRANTS[role] for role in self.roles)


class Access(Strict):
    """policy/access.yaml: for each auth manager, its name of a role and the role here."""

    version: int = Field(ge=1)
    roles: dict[str, dict[str, Role]]

    def user(self, who: Identity) -> User:
        """What somebody is by the policy: possibly nothing."""
        known = self.roles.get(who.manager, {})
        return User(who.id, who.name, frozenset(known[name] for name in who.roles if name in known))


def load_access(policy: Path) -> Access:
    """The policy's word on roles. Raises PolicyRefused for what is no such file."""
    return load_document(Access, policy / FILE)[0]
