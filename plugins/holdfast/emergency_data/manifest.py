"""What a released file holds, said beside it: counts, digests, and the version of the rules. It names nobody."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict

from holdfast.emergency_data.store import Extract
from holdfast.emergency_data.writing import Totals, WrittenFile
from holdfast.store import AnyPath, write_whole

FORMAT = "holdfast-emergency-manifest/1"
SUFFIX = ".manifest.json"


def of_file(path: AnyPath) -> AnyPath:
    """Where the manifest of a released file lies."""
    return path.with_name(path.name + SUFFIX)


def write(extract: Extract, file: WrittenFile, totals: Totals, quarantined: int, rule_set: str) -> str:
    """Write the manifest of a release beside it; the digest of the manifest.

    Everything in it comes from the extract and its rules, so that a release that is made again gets the same one.
    """
    content = {
        "format": FORMAT,
        "file": file.path.name,
        "bytes": file.size,
        "sha256": file.sha256,
        "detail_sha256": file.detail_sha256,
        "provider": extract.provider,
        "sequence": extract.sequence,
        "extract_type": extract.extract_type,
        "business_date": extract.business_date.isoformat(),
        **asdict(totals),
        "received": {"sha256": extract.sha256, "records": extract.records, "quarantined": quarantined},
        "rule_set": rule_set,
    }
    text = (json.dumps(content, indent=2) + "\n").encode()
    write_whole(of_file(file.path), text)
    return hashlib.sha256(text).hexdigest()
