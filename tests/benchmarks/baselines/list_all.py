"""List a container, and no more: ``python list_all.py directory PATH`` or ``... s3 ENDPOINT BUCKET``.

Each object's name and size is taken down, by the same client library that wheelrelay uses.
"""

import os
import sys


def list_directory(path: str) -> dict[str, int]:
    """Files of a directory."""
    with os.scandir(path) as entries:
        return {entry.name: entry.stat().st_size for entry in entries if entry.is_file()}


def list_bucket(endpoint: str, bucket: str) -> dict[str, int]:
    """Objects of a bucket; credentials are in the environment."""
    from s3fs import S3FileSystem

    fs = S3FileSystem(endpoint_url=endpoint)
    return {found["name"]: found["size"] for found in fs.ls(bucket, detail=True)}


if __name__ == "__main__":
    kind, *arguments = sys.argv[1:]
    print(len(list_directory(*arguments) if kind == "directory" else list_bucket(*arguments)))
