"""The keys of the configuration, from the same JSON Schema that editors use."""

from collections import Counter
from functools import cache
from typing import Any

from wheelrelay.config.schema import json_schema

SHARED_BY = 3
"""Keys that this many types of remotes have are described together."""


@cache
def schema() -> dict[str, Any]:
    """Return the JSON Schema of the configuration, with all installed types of remotes."""
    return json_schema()


def remote_schemas() -> dict[str, dict[str, Any]]:
    """Return the schema of each type of remote."""
    remotes = schema()["properties"]["remotes"]["additionalProperties"]
    definitions = schema()["$defs"]
    return {
        kind: definitions[reference.removeprefix("#/$defs/")]
        for kind, reference in sorted(remotes["discriminator"]["mapping"].items())
    }


def remotes() -> str:
    """Return the keys that several types of remotes have."""
    properties = {
        key: property_schema
        for described in remote_schemas().values()
        for key, property_schema in described["properties"].items()
    }
    return _list({key: properties[key] for key in _shared_keys()})


def keys_of(kind: str) -> str:
    """Return all keys of one type of remote: first its own ones, then those that others have too."""
    described, shared = remote_schemas()[kind], _shared_keys()
    keys = [key for key in described["properties"] if key != "type"]
    ordered = sorted(keys, key=lambda key: key in shared)
    required = described.get("required", ())
    return _list({key: described["properties"][key] for key in ordered}, required)


@cache
def _shared_keys() -> list[str]:
    counts = Counter(key for described in remote_schemas().values() for key in described["properties"])
    return [key for key, count in counts.items() if count >= SHARED_BY and key != "type"]


def engines() -> str:
    """Return the keys of each type of engine."""
    engine = schema()["properties"]["engines"]["additionalProperties"]
    names = [option["$ref"] for option in engine.get("oneOf", [engine])]
    described = [schema()["$defs"][name.removeprefix("#/$defs/")] for name in names]
    return "\n".join(
        f"### Engines of type {each['properties']['type']['const']}\n\n{each.get('description', '')}\n\n"
        + _list({key: value for key, value in each["properties"].items() if key != "type"})
        for each in described
    )


def routes() -> str:
    """Return the keys of a route."""
    route = schema()["$defs"]["Route"]
    return _list(route["properties"], route.get("required", ()))


def tables() -> str:
    """Return a section for each table that a key of a remote or a route can have as its value."""
    definitions = schema()["$defs"]
    inlined = {"checks": _checks(), "expect": definitions["Expect"], "trust": definitions["Trust"]}
    rest = {
        "trust.publishers: GitHub": definitions["GitHubPublisher"],
        "trust.publishers: GitLab": definitions["GitLabPublisher"],
        "trust.publishers: Google Cloud": definitions["GooglePublisher"],
        "trust.publishers: CircleCI": definitions["CircleCIPublisher"],
        "retention": definitions["Retention"],
        "Secret from an environment variable": definitions["EnvSecret"],
        "Secret from a file": definitions["FileSecret"],
        "Secret from the keyring": definitions["KeyringSecret"],
        "Secret from a command": definitions["CommandSecret"],
    }
    return "\n".join(
        f"### {name}\n\n{described.get('description', '')}\n\n"
        + _list(described["properties"], described.get("required", ()))
        for name, described in {**inlined, **rest}.items()
    )


def _checks() -> dict[str, Any]:
    described: dict[str, Any] = schema()["$defs"]["ChecksConfig"]
    return described


def _list(properties: dict[str, Any], required: Any = ()) -> str:
    """Return a definition list of keys, which is readable on a phone too."""
    return "\n".join(
        f"`{key}`: {value_of(described)}{_default(key, described, required)}\n"
        f": {_one_line(described.get('description', '')) or 'See the package.'}\n"
        for key, described in properties.items()
    )


def value_of(described: dict[str, Any]) -> str:
    """Return the kind of value that a schema describes, in a few words."""
    if "$ref" in described:
        name = described["$ref"].removeprefix("#/$defs/")
        return value_of(schema()["$defs"][name])
    for keyword in ("anyOf", "oneOf", "allOf"):
        if keyword in described:
            return " or ".join(dict.fromkeys(value_of(option) for option in described[keyword]))
    if "enum" in described:
        return ", ".join(f'`"{value}"`' for value in described["enum"])
    if "const" in described:
        return f"`{_toml(described['const'])}`"
    kind: str = described.get("type", "any")
    if kind == "array":
        return f"list of {value_of(described.get('items', {}))}"
    if kind == "string" and described.get("pattern", "").endswith("[smhdw])+$"):
        return 'duration, such as `"20m"`'
    words = {"string": "text", "boolean": "`true`, `false`", "integer": "number", "object": "table"}
    return words.get(kind, kind)


def _default(key: str, described: dict[str, Any], required: Any) -> str:
    if key in required:
        return " (required)"
    default = described.get("default")
    return "" if default in (None, [], {}) else f" [default: `{_toml(default)}`]"


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


def _one_line(text: str) -> str:
    return " ".join(text.split())
