"""A page for each type of remote, with its keys and capabilities, and one for each plugin."""

import os
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from generators import configuration, links
from generators.markdown import code, table
from wheelrelay import protocols
from wheelrelay.backends.fsspec.capabilities import capabilities_table
from wheelrelay.config.remote_types import make_config
from wheelrelay.config.schema import InstalledType, installed_types

DOCS = Path(__file__).parents[1]
FOLDER, PACKAGES = "reference/remotes", "reference/packages"
CAPABILITIES = sorted(
    name for name in protocols.__all__ if name.startswith(("Supports", "LimitsParallelRanges"))
)


def pages() -> dict[str, str]:
    """Return the pages of types and of plugins, by path."""
    of_types = {f"{FOLDER}/{each.type}.md": _page(each) for each in _types()}
    readmes = sorted(DOCS.parent.glob("plugins/*/README.md"))
    of_plugins = {
        f"{PACKAGES}/{readme.parent.name}.md": links.included(
            readme, DOCS / PACKAGES / f"{readme.parent.name}.md"
        )
        for readme in readmes
    }
    return {**of_types, **of_plugins}


def types() -> str:
    """Return the table of the types, with links to their pages."""
    rows = [
        (
            f"[{code(each.type)}](remotes/{each.type}.md)",
            _summary(each.type),
            code(address) if (address := _sample(each.type).get("address")) else "",
            ", ".join(each.roles),
            _package(each, "packages/"),
        )
        for each in _types()
    ]
    return table(["type", "what it is", "address", "role", "package"], rows)


def capabilities() -> str:
    """Return a table of all capabilities of all types, from the protocols that their objects implement."""
    kinds = [each.type for each in _types()]
    rows = [
        (code(name), _meaning(name), *("yes" if name in _implemented(kind) else "" for kind in kinds))
        for name in CAPABILITIES
    ]
    heads = [f"[{kind}](remotes/{kind}.md)" for kind in kinds]
    return table(["capability", "meaning", *heads], rows)


def fsspec() -> str:
    """Return the table of what each protocol of fsspec guarantees."""
    return capabilities_table()


def _types() -> list[InstalledType]:
    """Return the types of this project; a developer may have installed others."""
    types = [each for each in installed_types() if each.package.startswith("wheelrelay") and not each.problem]
    return [each for each in types if "engine" not in each.roles]


@cache
def _samples() -> dict[str, Any]:
    return tomllib.loads((DOCS / "remotes.toml").read_text(encoding="utf-8"))


def _sample(kind: str) -> dict[str, Any]:
    sample: dict[str, Any] = _samples().get(kind, {})
    return sample


@cache
def _implemented(kind: str) -> frozenset[str]:
    """Return the protocols that a connected remote implements; connecting sends no request."""
    sample = _sample(kind)
    if "keys" not in sample:
        return frozenset()
    os.environ.setdefault("SAMPLE_SECRET", "for the documentation")
    with make_config(kind, sample["keys"], where=f"docs/remotes.toml: {kind}").named(kind).open() as backend:
        names = ("Source", "Sink", *CAPABILITIES)
        return frozenset(name for name in names if isinstance(backend, getattr(protocols, name)))


def _summary(kind: str) -> str:
    described: str = configuration.remote_schemas()[kind].get("description", "")
    return " ".join(described.split())


def _meaning(capability: str) -> str:
    return (getattr(protocols, capability).__doc__ or "").partition("\n")[0]


def _package(each: InstalledType, folder: str) -> str:
    return "built in" if each.package == "wheelrelay" else f"[{each.package}]({folder}{each.package}.md)"


def _page(each: InstalledType) -> str:
    sample = _sample(each.type)
    parts = [f"# {each.type}\n\n{_summary(each.type)}\n"]
    if "address" in sample:
        parts.append(f"Address: `{sample['address']}`\n")
    if each.package != "wheelrelay":
        extra, package = each.package.removeprefix("wheelrelay-"), _package(each, "../packages/")
        install = f"pip install 'wheelrelay[{extra}]'"
        parts.append(f"Install it: `{install}`. Credentials and permissions: see {package}.\n")
    prose = DOCS / "remotes" / f"{each.type}.md"
    if prose.is_file():
        parts.append(prose.read_text(encoding="utf-8"))
    parts.append(f"## Keys of {each.type}\n\n{configuration.keys_of(each.type)}")
    if implemented := _implemented(each.type):
        names = [name for name in ("Source", "Sink", *CAPABILITIES) if name in implemented]
        rows = [(code(name), _meaning(name)) for name in names]
        parts.append(f"## Capabilities of {each.type}\n\n{table(['protocol', 'meaning'], rows)}")
    return "\n".join(parts)
