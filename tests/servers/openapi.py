"""GitHub's description of its REST API, from npm, and validation of requests and responses."""

import json
import re
import subprocess
import tarfile
from collections.abc import Iterator, Mapping
from functools import cached_property, reduce
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from jsonschema import Draft4Validator
from referencing import Registry
from referencing.jsonschema import DRAFT4

from tests.servers.installed import install_once
from tests.servers.web import Reply, Request

VERSION = "23.0.2"
MEMBER = "package/generated/api.github.com.json"


def download_description(cache: Path) -> Path:
    """Download the description below ``cache`` if it is missing, and return its path."""

    def download(folder: Path) -> None:
        command = ["npm", "pack", "--silent", f"@octokit/openapi@{VERSION}"]
        done = subprocess.run(command, cwd=folder, capture_output=True, check=True, text=True, timeout=300)
        archive = folder / done.stdout.strip()
        with tarfile.open(archive) as package:
            description = package.extractfile(MEMBER)
            assert description is not None
            (folder / "github.json").write_bytes(description.read())
        archive.unlink()

    return install_once(cache / VERSION, download) / "github.json"


class Description:
    """The description of the API (OpenAPI 3.0)."""

    def __init__(self, path: Path) -> None:
        self._root = _with_nulls(json.loads(path.read_bytes()))

    def problems(self, request: Request, reply: Reply, prefix: str) -> Iterator[str]:
        """Yield everything in a request and its response that the description does not allow.

        Args:
            request: the request.
            reply: its response.
            prefix: what precedes the described paths in requests.
        """
        parts = urlsplit(request.path)
        name = f"{request.method} {parts.path}"
        operation = self._operation(request.method, parts.path.removeprefix(prefix))
        if operation is None:
            yield f"{name}: unknown"
            return
        known = {parameter["name"] for parameter in map(self._resolved, operation.get("parameters", []))}
        unknown = set(parse_qs(parts.query)) - known
        yield from (f"{name}: unknown parameter {parameter}" for parameter in unknown)
        if request.headers.get("content-type") == "application/json":
            body = operation["requestBody"]["content"]["application/json"]["schema"]
            yield from self._errors(name, body, request.body)
        answer = operation["responses"].get(str(reply.status))
        if answer is None:
            yield f"{name}: unknown status {reply.status}"
            return
        content = self._resolved(answer).get("content", {}).get("application/json")
        if content and reply.body:
            assert isinstance(reply.body, bytes)
            yield from self._errors(f"{name} {reply.status}", content["schema"], reply.body)

    def _operation(self, method: str, path: str) -> Any:
        for pattern, operations in self._patterns:
            if pattern.fullmatch(path) and method.lower() in operations:
                return operations[method.lower()]
        return None

    @cached_property
    def _patterns(self) -> list[tuple[re.Pattern[str], Mapping[str, Any]]]:
        """The paths, those with the fewest parameters first."""
        paths = sorted(self._root["paths"].items(), key=lambda item: item[0].count("{"))
        return [(re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), operations) for path, operations in paths]

    def _resolved(self, value: Any) -> Any:
        while "$ref" in value:
            path = value["$ref"].removeprefix("#/").split("/")
            value = reduce(lambda found, key: found[key], path, self._root)
        return value

    @cached_property
    def _registry(self) -> Any:
        return Registry().with_resource("urn:github", DRAFT4.create_resource(self._root))

    def _errors(self, name: str, schema: Any, body: bytes) -> Iterator[str]:
        validator = Draft4Validator(_absolute(schema), registry=self._registry)
        for error in validator.iter_errors(json.loads(body)):
            yield f"{name}: {'/'.join(map(str, error.absolute_path))}: {error.message[:200]}"


def _absolute(schema: Any) -> Any:
    """Resolve the references of a schema in the whole description."""
    text = json.dumps(schema).replace('"$ref": "#/', '"$ref": "urn:github#/')
    return json.loads(text)


def _with_nulls(value: Any) -> Any:
    """Translate ``nullable`` of OpenAPI 3.0 to JSON Schema."""
    if isinstance(value, list):
        return [_with_nulls(item) for item in value]
    if not isinstance(value, dict):
        return value
    schema = {key: _with_nulls(item) for key, item in value.items()}
    if schema.get("nullable") is True:
        schema.pop("nullable")
        return {"anyOf": [schema, {"type": "null"}]}
    return schema
