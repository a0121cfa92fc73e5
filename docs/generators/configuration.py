"""The keys of the configuration, from the same JSON Schema that editors use."""

from functools import cache
from typing import Any

from generators.markdown import table
from wheelrelay.config.schema import json_schema

SHARED_BY = 3
"""A table of keys that this many types of remotes share is described once."""


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
    """Return the table of the keys that most types have, and for each key the types that have it."""
    keys: dict[str, list[str]] = {}
    for kind, described in remote_schemas().items():
        for key in described["properties"]:
            keys.setdefault(key, []).append(kind)
    properties = {
        key: described["properties"][key]
        for described in remote_schemas().values()
        for key in described["properties"]
    }
    shared = {key: kinds for key, kinds in keys.items() if len(kinds) >= SHARED_BY and key != "type"}
    return _table({key: properties[key] for key in shared})


def keys_of(kind: str) -> str:
    """Return the table of all keys of one type of remote."""
    described = remote_schemas()[kind]
    required = described.get("required", ())
    return _table({k: v for k, v in described["properties"].items() if k != "type"}, required)


def routes() -> str:
    """Return the table of the keys of a route."""
    route = schema()["$defs"]["Route"]
    return _table(route["properties"], route.get("required", ()))


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
        + _table(described["properties"], described.get("required", ()))
        for name, described in {**inlined, **rest}.items()
    )


def _checks() -> dict[str, Any]:
    described: dict[str, Any] = schema()["$defs"]["ChecksConfig"]
    return described


def _table(properties: dict[str, Any], required: Any = ()) -> str:
    rows = [
        (
            f"`{key}`",
            value_of(described),
            _default(key, described, required),
            _one_line(described.get("description", "")),
        )
        for key, described in properties.items()
    ]
    return table(["key", "value", "default", "meaning"], rows)


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
    kind = described.get("type", "any")
    if kind == "array":
        return f"list of {value_of(described.get('items', {}))}"
    if kind == "string" and described.get("pattern", "").endswith("[smhdw])+$"):
        return 'duration, such as `"20m"`'
    words = {"string": "text", "boolean": "`true`, `false`", "integer": "number", "object": "table"}
    return words.get(kind, kind)


def _default(key: str, described: dict[str, Any], required: Any) -> str:
    if key in required:
        return "required"
    default = described.get("default")
    return "" if default in (None, [], {}) else f"`{_toml(default)}`"


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


def _one_line(text: str) -> str:
    return " ".join(text.split())
