"""Who may what, by the table in the code and the names in policy/access.yaml."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast import settings
from holdfast.errors import PolicyError
from holdfast.night.configuration import ROLES
from holdfast.pages.access import GRANTS, Identity, Permission, Role, User, load_access


def user(*roles: Role) -> User:
    return User("jo", "Jo", frozenset(roles))


def shipped(manager: str, *names: str) -> frozenset[Role]:
    return load_access(settings.load().policy).user(Identity("jo", "Jo", manager, names)).roles


def test_personal_data_are_for_compliance_staff_alone() -> None:
    assert [role for role in Role if user(role).may(Permission.LOOK_UP)] == [Role.COMPLIANCE]


def test_an_auditor_changes_nothing_and_sees_nothing_internal() -> None:
    assert GRANTS[Role.AUDITOR] == {Permission.READ, Permission.VERIFY, Permission.TAKE_EVIDENCE}


def test_holds_are_placed_and_released_by_compliance_and_administrators() -> None:
    assert [role for role in Role if user(role).may(Permission.CHANGE_HOLDS)] == [Role.COMPLIANCE, Role.ADMINISTRATOR]


def test_every_role_may_read_and_every_permission_is_somebodys() -> None:
    assert all(user(role).may(Permission.READ) for role in Role)
    assert set().union(*GRANTS.values()) == set(Permission)
    assert set(GRANTS) == set(Role)


def test_somebody_without_a_role_may_nothing() -> None:
    assert not any(user().may(permission) for permission in Permission)


def test_two_roles_may_what_either_may() -> None:
    both = user(Role.AUDITOR, Role.COMPLIANCE)
    assert all(both.may(permission) for permission in Permission)


def test_the_users_of_make_run_have_a_role_each() -> None:
    found = {name: shipped("simple", role) for name, role in ROLES.items()}
    assert found == {
        "admin": {Role.ADMINISTRATOR},
        "auditor": {Role.AUDITOR},
        "deputy": {Role.COMPLIANCE},
        "dpo": {Role.COMPLIANCE},
        "engineer": {Role.ENGINEER},
    }


def test_a_name_counts_for_the_auth_manager_it_is_of() -> None:
    assert shipped("fab", "Compliance", "Auditor") == {Role.COMPLIANCE, Role.AUDITOR}
    assert shipped("fab", "user") == shipped("fab", "User") == shipped("fab", "Viewer") == frozenset()
    assert shipped("simple", "Compliance") == shipped("keycloak", "admin") == frozenset()


@pytest.mark.parametrize("text", ["version: 1\nroles: {simple: {viewer: owner}}\n", "version: 1\n", "roles: ["])
def test_a_file_that_cannot_be_read_exactly_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "access.yaml").write_text(text)
    with pytest.raises(PolicyError):
        load_access(tmp_path)
