"""A run's config as YAML: read, checked, changed, compared and written.

The page, the command line and Python produce and accept the same file. Bad input is an InputError
that lists every problem with its place in the file; nothing here loads a model.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from isara.config import PRESETS, DecodingConfig, RunConfig, resolve
from isara.config_base import Part
from isara.errors import InputError

Settings = TypeVar("Settings", bound=Part)


def parse_config(data: Any, source: str = "config") -> RunConfig:
    """Check a mapping; InputError lists every problem with its place in the file."""
    return checked(RunConfig, data, source)


def checked(model: type[Settings], data: Any, source: str) -> Settings:
    """A mapping as settings of some kind; InputError lists every problem with its place."""
    if not isinstance(data, dict):
        raise InputError(f"{source} holds {type(data).__name__}, expected a mapping of settings.")
    try:
        return model.model_validate(data)
    except ValidationError as error:
        problems = [problem_sentence(dict(item)) for item in error.errors()]
        raise InputError(f"{source} cannot be used: " + "; ".join(problems)) from None


def read_yaml(path: Path | str, what: str) -> Any:
    """What a YAML file holds; `what` names its kind in the InputError where it cannot be read."""
    file = resolve(str(path))
    try:
        return yaml.safe_load(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"There is no {what} {path}; give the path of a YAML file.") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f"{path} is not a readable YAML file: {one_line(error)}") from None


def problem_sentence(item: dict[str, Any]) -> str:
    """One pydantic error as "place: what is wrong (found …)"."""
    place = ".".join(str(part) for part in item["loc"] if part != "[key]") or "file"
    if item["type"] == "extra_forbidden":
        return f"{place}: there is no such setting, remove it or correct its name"
    if item["type"] == "missing":
        return f"{place}: this setting is missing"
    message = str(item["msg"]).removeprefix("Value error, ").replace("Input should", "must")
    found = item["input"]
    shown = f" (found {found!r})" if isinstance(found, str | int | float | bool) else ""
    return f"{place}: {message}{shown}"


def load_config(path: Path | str, overrides: list[str] | None = None) -> RunConfig:
    """Read a YAML config; `overrides` are `a.b=c` strings whose values are read as YAML."""
    data = read_yaml(path, "config")
    for override in overrides or []:
        set_value(data, override)
    return parse_config(data, str(path))


def one_line(error: BaseException) -> str:
    """An error's text on one line."""
    return " ".join(str(error).split())


def set_value(data: Any, override: str) -> None:
    """Apply one `a.b=c` to nested mappings in place."""
    place, found, value = override.partition("=")
    if not found or not isinstance(data, dict):
        raise InputError(f"--set {override!r} is not of the form a.b=value.")
    *parents, last = place.split(".")
    for parent in parents:
        if not isinstance(data.get(parent), dict):
            data[parent] = {}
        data = data[parent]
    try:
        data[last] = yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise InputError(f"--set {override!r}: the value is not YAML: {one_line(error)}") from None


def to_yaml(config: RunConfig, command: str | None = None) -> str:
    """The config as YAML that begins with its own command; only what differs from defaults."""
    data = config.model_dump(exclude_defaults=True) | {"decoding": changed(config.decoding)}
    command = command or f"python -m isara run {config.name}.yaml"
    return f"# {command}\n" + yaml.safe_dump(data, sort_keys=False, allow_unicode=True)


def changed(decoding: DecodingConfig) -> dict[str, Any]:
    """What is not as the preset has it: reading fills the rest from the preset again."""
    filled = DecodingConfig(preset=decoding.preset).model_dump()
    return decoding.model_dump(include={"preset", "batch_size"}) | {
        name: {key: value for key, value in given.items() if value != filled[name][key]}
        for name, given in decoding.model_dump(include=set(PRESETS[decoding.preset])).items()
        if given != filled[name]
    }


def differences(a: RunConfig, b: RunConfig) -> list[str]:
    """What differs between two configs, as "a.b: x -> y" lines."""
    return [f"{key}: {left!r} -> {right!r}" for key, left, right in changed_settings(a, b)]


def changed_settings(a: RunConfig, b: RunConfig) -> list[tuple[str, Any, Any]]:
    """The settings that differ, as (dotted name, value of a, value of b)."""
    left, right = flatten(a.model_dump()), flatten(b.model_dump())
    return [
        (key, left.get(key), right.get(key))
        for key in sorted(left.keys() | right.keys())
        if left.get(key) != right.get(key)
    ]


def flatten(data: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mappings as one mapping with dotted keys."""
    flat: dict[str, Any] = {}
    for key, value in data.items():
        place = f"{prefix}{key}"
        flat |= flatten(value, f"{place}.") if isinstance(value, dict) else {place: value}
    return flat
