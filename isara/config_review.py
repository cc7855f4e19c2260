"""Settings of the review by people, a part of RunConfig."""

from __future__ import annotations

from pydantic import Field

from isara.config_base import Part


class ReviewConfig(Part):
    """Whether people decide on the pairs before the model is trained on them."""

    wait: bool = False
    """Each iteration stops in the state "waiting for review" when its pairs are written and scored.
    People then accept, edit or reject pairs (page Samples, Review); the run trains when one of them
    says that the review is done."""
    overlap: int = Field(1, ge=1, le=20)
    """How many people rule on each pair."""
