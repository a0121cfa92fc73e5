"""Upload the files of a directory with the least work: ``python floor_release.py CONFIG``.

It imports what wheelrelay is built on, reads and validates the same configuration, hashes the files, uploads
one after the other, and reads the page of the project before and after. It plans, checks and retries nothing.
It shows what a program with these libraries cannot be faster than on this machine.
"""

import hashlib
import json
import os
import tomllib
from pathlib import Path
from urllib.parse import urljoin

os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"  # as wheelrelay does

import click
import urllib3
from packaging.requirements import Requirement
from packaging.utils import parse_sdist_filename, parse_wheel_filename
from pydantic import BaseModel, Field

PYPI_JSON = "application/vnd.pypi.simple.v1+json"


class Directory(BaseModel):
    """The source."""

    type: str
    path: Path


class Index(BaseModel):
    """The sink."""

    type: str
    url: str
    upload_url: str
    username: str
    password: dict[str, str] = Field(default_factory=dict)


class Remotes(BaseModel):
    """The table of remotes."""

    dist: Directory
    sink: Index


@click.command()
@click.argument("config", type=click.Path(path_type=Path))
@click.argument("requirement")
def main(config: Path, requirement: str) -> None:
    """Upload all files of a requirement."""
    remotes = Remotes(**tomllib.loads(config.read_text())["remotes"])
    wanted = Requirement(requirement)
    sink = remotes.sink
    headers = urllib3.make_headers(basic_auth=f"{sink.username}:{os.environ[sink.password['env']]}")
    client = urllib3.PoolManager()
    page = urljoin(sink.url, f"{wanted.name}/")
    client.request("GET", page, headers={**headers, "Accept": PYPI_JSON})
    digests = {}
    for path in sorted((config.parent / remotes.dist.path).iterdir()):
        is_wheel = path.suffix == ".whl"
        name, version = (parse_wheel_filename if is_wheel else parse_sdist_filename)(path.name)[:2]
        assert version in wanted.specifier
        content = path.read_bytes()
        digests[path.name] = hashlib.sha256(content).hexdigest()
        fields = {
            ":action": "file_upload",
            "protocol_version": "1",
            "metadata_version": "2.1",
            "name": name,
            "version": str(version),
            "filetype": "bdist_wheel" if is_wheel else "sdist",
            "pyversion": "py3" if is_wheel else "source",
            "sha256_digest": digests[path.name],
            "content": (path.name, content),
        }
        answer = client.request("POST", sink.upload_url, fields=fields, headers=headers)
        assert answer.status == 200, answer.data
    shown = client.request("GET", page, headers={**headers, "Accept": PYPI_JSON}).data.decode()
    click.echo(json.dumps({name: digest in shown for name, digest in digests.items()}))
    assert all(name in shown for name in digests)


if __name__ == "__main__":
    main()
