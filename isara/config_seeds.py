"""Settings of the seed set D0: a file, a saved seed set, or a mixture of several by domain."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from isara.config_base import Part
from isara.examples import DOMAIN_WANTED, is_domain


def _domain(name: str) -> str:
    if not is_domain(name):
        raise ValueError(f"a domain's name is {DOMAIN_WANTED}")
    return name


Domain = Annotated[str, AfterValidator(_domain)]


def files_by_domain(value: Any) -> Any:
    """A file, or files by domain; ValueError that lists all that is wrong with a mapping."""
    if value is None or isinstance(value, str):
        return value
    if not isinstance(value, dict) or not value:
        raise ValueError("give a file, or a mapping with a file for each domain")
    faults = [f"{name!r} is no domain's name" for name in value if not is_domain(name)]
    faults += [f"{path!r} is no file" for path in value.values() if not isinstance(path, str)]
    if faults:
        raise ValueError(f"{', '.join(faults)}; a domain's name is {DOMAIN_WANTED}")
    return value


class SeedSource(Part):
    """One seed set: a file, or a saved version of a named set."""

    path: str | None = None
    """Seed file (JSONL, JSON, CSV, TSV, Parquet); relative paths start at the project."""
    name: str | None = None
    """Name of a seed set saved in the workspace, instead of a file."""
    version: int | None = Field(None, ge=1)
    """Version of the saved seed set; the newest when not given."""
    mapping: dict[str, str] = Field(default_factory=dict)
    """Column names of the file, e.g. {question: Question, answer: "Best Answer"}."""
    limit: int | None = Field(None, ge=1)
    """Use the first rows only (rows); all when not given."""

    @model_validator(mode="after")
    def one_source(self) -> SeedSource:
        if (self.path is None) == (self.name is None):
            raise ValueError("give either path (a file) or name (a saved seed set)")
        return self


class SeedsConfig(SeedSource):
    """Where the seed set D0 comes from: one seed set, or several by domain."""

    mixture: dict[Domain, SeedSource] | None = None
    """Seed sets of several domains instead of one, by the domain's name, e.g. {safety: {path:
    a.jsonl}, help: {name: everyday, limit: 20}}: D0 is all of them."""

    @model_validator(mode="after")
    def one_source(self) -> SeedsConfig:
        given = [self.path, self.name, self.mixture]
        if sum(source is not None for source in given) != 1:
            raise ValueError(
                "give either seeds.path (a file), seeds.name (a saved seed set) or seeds.mixture "
                "(several of them by domain)"
            )
        if self.mixture is None:
            return self
        if len(self.mixture) < 2:
            raise ValueError("seeds.mixture needs two domains or more; one seed set is seeds.path")
        if self.version is not None or self.mapping or self.limit is not None:
            raise ValueError("version, mapping and limit belong to each domain of seeds.mixture")
        return self
