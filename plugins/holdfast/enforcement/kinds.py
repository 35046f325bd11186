"""The jobs that delete, and what each works through."""

from __future__ import annotations

from holdfast.enforcement.predicate.base import Setting
from holdfast.enforcement.predicate.requests import ErasureSetting
from holdfast.enforcement.predicate.rules import RetentionSetting

RETENTION = "retention_nightly"
DELETION_REQUESTS = "deletion_requests_reconcile"

SETTING_OF: dict[str, type[Setting]] = {RETENTION: RetentionSetting, DELETION_REQUESTS: ErasureSetting}
"""Job -> what its run works through."""
