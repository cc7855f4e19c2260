"""What the long runs of the claims found, kept in the project so that nobody has to repeat them.

    kept = read_kept(load_claims())              # data/CLAIMS.json; {claim's number: Kept}
    write_kept(path, kept)

A claim whose hypotheses, study or base config were changed since has no kept result. Kept are the
effects, not the verdicts: those are found anew, and p is corrected with whatever else is done.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from isara.claims_effects import Effect
from isara.claims_files import Claim
from isara.config import PROJECT_ROOT
from isara.config_base import Part
from isara.config_files import checked, load_config
from isara.studies import Study
from isara.workspace.files import read_json, write_json

if TYPE_CHECKING:
    from isara.claims import Stated

FILE = PROJECT_ROOT / "data" / "CLAIMS.json"


class KeptEffect(Part):
    """`Effect` of one hypothesis, in the order of the claim's."""

    effect: float
    low: float | None
    high: float | None
    p: float = Field(ge=0, le=1)
    n: int | None
    random_seeds: tuple[int, ...]

    def found(self) -> Effect:
        """As it was measured."""
        return Effect(**self.model_dump())


class Kept(Part):
    """What a claim's runs said when they were done."""

    stated: str
    """Hash of what was stated: hypotheses, study and base config."""
    date: str
    """The day on which the last of the runs ended, YYYY-MM-DD."""
    effects: list[KeptEffect]
    """One for each hypothesis."""
    runs: dict[str, float]
    """Wall time of the runs that it rests on, by their ids (seconds)."""


class _File(Part):
    claims: dict[int, Kept]


def read_kept(claims: Stated, path: Path | None = None) -> dict[int, Kept]:
    """The kept results of these claims by number, of those that are still stated as they were;
    InputError or IsaraError for a damaged file. No file: nothing is kept."""
    file = path or FILE
    found = checked(_File, read_json(file, {"claims": {}}), str(file)).claims
    return {
        claim.number: found[claim.number]
        for claim, study in claims
        if claim.number in found and found[claim.number].stated == what_is_stated(claim, study)
    }


def write_kept(path: Path, kept: dict[int, Kept]) -> None:
    """Write the results by claim's number."""
    write_json(path, _File(claims=kept).model_dump(mode="json"))


def what_is_stated(claim: Claim, study: Study) -> str:
    """A hash of what the files state: hypotheses, study, and the base config's own settings.

    Not of models, judge, eval sets, the code or its defaults: the date says when those were as they
    were.
    """
    parts = [
        [one.model_dump(mode="json") for one in claim.hypotheses],
        study.model_dump(mode="json", exclude={"arms"}),
        {name: study.arms[name].model_dump(mode="json") for name in claim.arms},
        load_config(study.config).model_dump(mode="json", exclude_defaults=True),
    ]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
