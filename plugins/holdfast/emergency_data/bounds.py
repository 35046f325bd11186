"""The bounds of the 999 checks, as people set them in `expectations/emergency_data/bounds.yaml`."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Annotated

import pydantic
from pydantic import ConfigDict, Field

from holdfast.errors import RuleSetError
from holdfast.policy.documents import read_document

Sender = Annotated[str, Field(pattern=r"^[A-Z0-9]{1,12}$")]


class _Strict(pydantic.BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FileBounds(_Strict):
    """How old an extract may be."""

    oldest_business_date_days: int = Field(ge=0)
    oldest_generated_hours: int = Field(ge=1)


class ChangeBounds(_Strict):
    """How much of the accepted state an extract may change before a person is asked. Shares are from 0 to 1."""

    volume_warn_share: float = Field(gt=0)
    volume_stop_share: float = Field(gt=0)
    ceased_share: float = Field(gt=0, le=1)
    address_changed_share: float = Field(gt=0, le=1)
    emptied_share: float = Field(gt=0, le=1)
    quarantined_share: float = Field(gt=0, le=1)
    least_records: int = Field(ge=0)


class Bounds(_Strict):
    """All of them."""

    version: int = Field(ge=1, le=1)
    owner: str
    provider: Sender
    expected: list[Sender]
    invented_places: bool
    switched_off: dict[str, str]
    second_opinion: bool
    latest_effective_days: int = Field(ge=0)
    most_numbers_at_an_address: int = Field(ge=2)
    verified_days: int = Field(ge=1)
    nomadic_verified_days: int = Field(ge=1)
    file: FileBounds
    change: ChangeBounds
    reject_alert_working_days: int = Field(ge=1)
    answer_hours: int = Field(ge=1)
    kept_days: int = Field(ge=1)

    def verified_since(self, day: dt.date) -> dt.date:
        """An address that was checked before this day must be checked again."""
        return day - dt.timedelta(days=self.verified_days)

    def parameters(self, provider: str, extract_type: str, business_date: dt.date) -> dict[str, object]:
        """What the rules ask a run for, by the names that suites use. Days are text, as in the records."""

        def day(days: int) -> str:
            return (business_date + dt.timedelta(days=days)).isoformat()

        return {
            "provider": provider,
            "extract_type": extract_type,
            "business_date": day(0),
            "latest_effective": day(self.latest_effective_days),
            "verified_since": self.verified_since(business_date).isoformat(),
            "nomadic_verified_since": day(-self.nomadic_verified_days),
            "most_numbers_at_an_address": self.most_numbers_at_an_address,
        }


def load(path: Path) -> Bounds:
    """The bounds. Raises RuleSetError with the place of the first thing that is wrong."""
    try:
        reading = read_document("bounds", str(path), path.read_text(encoding="utf-8"))
        if reading.problems:
            raise RuleSetError(str(reading.problems[0]), fix="correct that line.")
        return Bounds.model_validate_json(json.dumps(reading.content))
    except OSError as error:
        raise RuleSetError(f"{path} cannot be read ({error.strerror}).", fix="restore the file.") from error
    except pydantic.ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = tuple(map(str, first["loc"]))
        line = reading.lines.get(("bounds", *where), 1)
        raise RuleSetError(
            f"{path}:{line} {'.'.join(where)}: {first['msg']}.", fix="correct that line.", problems=error.error_count()
        ) from None
