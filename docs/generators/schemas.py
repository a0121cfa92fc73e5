"""The JSON Schemas: their keys as tables, and the schemas themselves next to the pages."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generators import configuration
from generators.markdown import table
from wheelrelay.config.schema import json_schema, pyproject_schema
from wheelrelay.documents import DOCUMENT_TYPES, document_schema

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def documents() -> str:
    """Return a section for each JSON document."""
    return "\n".join(map(_section, DOCUMENT_TYPES))


def copy(app: "Sphinx", problem: Exception | None) -> None:
    """Write all JSON Schemas into the folder ``schemas`` of the site."""
    if problem or app.builder.format != "html":
        return
    folder = Path(app.outdir) / "schemas"
    folder.mkdir(exist_ok=True)
    schemas = {name: document_schema(name) for name in DOCUMENT_TYPES}
    for name, schema in {**schemas, "config": json_schema(), "pyproject": pyproject_schema()}.items():
        (folder / f"{name}.json").write_text(json.dumps(schema, indent=2) + "\n", encoding="utf-8")


def _section(name: str) -> str:
    schema = document_schema(name)
    definitions = schema.get("$defs", {})
    top = schema.get("items", schema)
    top = definitions[top["$ref"].removeprefix("#/$defs/")] if "$ref" in top else top
    kind = "A list; each item has these keys" if "items" in schema else "An object with these keys"
    parts = [f"### {name}\n\n`wheelrelay config schema {name}` prints the schema. {kind}:\n\n{_keys(top)}"]
    nested = [value for value in definitions.values() if value is not top]
    parts += [f"\n{value['description']} `{value['title']}`:\n\n{_keys(value)}" for value in nested]
    return "".join(parts)


def _keys(schema: dict[str, Any]) -> str:
    rows = [(f"`{key}`", _value(described)) for key, described in schema["properties"].items()]
    return table(["key", "value"], rows)


def _value(described: dict[str, Any]) -> str:
    if "$ref" in described:
        return f"`{described['$ref'].removeprefix('#/$defs/')}`"
    if "anyOf" in described:
        return " or ".join(_value(option) for option in described["anyOf"])
    if described.get("type") == "array":
        return f"list of {_value(described.get('items', {}))}"
    if isinstance(described.get("additionalProperties"), dict):
        return f"object whose values are {_value(described['additionalProperties'])}"
    return configuration.value_of(described)
