"""Proves a recomputed ranking against what was published: the digest of the inputs, the edition and its seal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from sharedrepo.keyring.signing import BadSignature, opened
from supervision.appraisal.editions import KIND
from supervision.appraisal.errors import InputsRefused
from supervision.appraisal.inputs import Inputs, sha256

_LARGEST: Final = 1 << 20


def proven(
    inputs: Inputs, ranking: bytes, *, digest: str | None = None, edition: Path | None = None, keys: Path | None = None
) -> list[str]:
    """Return what is proven: always the lines and files; by a digest or an edition what these speak of.

    Raises:
        InputsRefused: something is not what was published.
    """
    found = ["each line and file is the one in the manifest"]
    if digest is not None:
        if digest.strip().lower() != inputs.digest:
            raise InputsRefused("manifest.json", f"its digest is {inputs.digest}, not the published one")
        found.append("the manifest is the published one")
    if edition is None:
        return found
    said = _document(edition)
    token = said.get("signature")
    if keys is not None:
        try:
            said = opened(str(token), _document(keys), KIND)
        except BadSignature as error:
            raise InputsRefused(edition.name, str(error), next_step="Fetch edition and keys again.") from None
        found.append("the edition is under the hub's seal")
    else:
        said = said.get("claims", {})
    wanted = {"month": inputs.month, "inputs_sha256": inputs.digest, "ranking_sha256": sha256(ranking)}
    wrong = [name for name, value in wanted.items() if not isinstance(said, dict) or said.get(name) != value]
    if wrong:
        raise InputsRefused(edition.name, f"it is of another {', '.join(wrong)}")
    if keys is None:
        found.append(f"the ranking is the one that {edition.name} names, whose seal is not proven without --keys")
    else:
        found.append("the ranking is the published one to the last digit")
    return found


def _document(file: Path) -> dict[str, Any]:
    try:
        said = json.loads(file.read_bytes()) if file.stat().st_size <= _LARGEST else None
    except (OSError, ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise InputsRefused(file.name, "it is no JSON object", next_step="Give it as it was published.")
    return said
