"""Put files into a container with the least work: ``python floor_push.py swift|s3 CONTAINER FILE...``.

Eight threads hash and send. Swift gets the md5 of each file, which it verifies, and the sha256 as metadata.
S3 gets the sha256 in the signature and as checksum, and verifies both. Nothing is checked, planned, listed,
retried or confirmed, and there are no pages. A program in Python cannot be faster on this machine.

Login and address come from the environment, as for the clients ``swift`` and ``aws``.
"""

import base64
import hashlib
import hmac
import http.client
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from urllib.parse import quote, urlsplit

THREADS = 8
BLOCK = 1 << 18

connections = threading.local()

Headers = Callable[[str, Path], Mapping[str, str]]
"""Gives the headers of the request that writes a file under a path of the server."""


def connection(host: str) -> http.client.HTTPConnection:
    """Return this thread's connection to the server."""
    if "client" not in connections.__dict__:
        connections.client = http.client.HTTPConnection(host, blocksize=BLOCK)
    client: http.client.HTTPConnection = connections.client
    return client


def digests_of(path: Path, *algorithms: str) -> list[bytes]:
    """Read a file once, and return its digests."""
    digests = [hashlib.new(algorithm, usedforsecurity=False) for algorithm in algorithms]
    buffer = memoryview(bytearray(BLOCK))
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(buffer):
            for digest in digests:
                digest.update(buffer[:count])
    return [digest.digest() for digest in digests]


def put(host: str, folder: str, headers: Headers, path: Path) -> None:
    """Hash a file, and send it."""
    address = quote(f"{folder}/{path.name}")
    client = connection(host)
    size = str(path.stat().st_size)
    with path.open("rb", buffering=0) as file:
        client.request("PUT", address, file, {"Content-Length": size, **headers(address, path)})
    answer = client.getresponse()
    answer.read()
    if answer.status not in (200, 201):
        raise RuntimeError(f"{address} answered {answer.status}.")


def swift_place(container: str) -> tuple[str, str, Headers]:
    """Log in, and return host, folder and headers."""
    login = urlsplit(os.environ["ST_AUTH"])
    client = http.client.HTTPConnection(login.netloc)
    who = {"X-Auth-User": os.environ["ST_USER"], "X-Auth-Key": os.environ["ST_KEY"]}
    client.request("GET", login.path, headers=who)
    answer = client.getresponse()
    storage = urlsplit(answer.headers["X-Storage-Url"])
    token = answer.headers["X-Auth-Token"]

    def headers(_: str, path: Path) -> Mapping[str, str]:
        md5, sha256 = digests_of(path, "md5", "sha256")
        digests = {"ETag": md5.hex(), "X-Object-Meta-Sha256": sha256.hex()}
        return {"X-Auth-Token": token, "If-None-Match": "*", **digests}

    return storage.netloc, f"{storage.path}/{container}", headers


def s3_place(bucket: str) -> tuple[str, str, Headers]:
    """Return host, folder and headers."""
    host = urlsplit(os.environ["AWS_ENDPOINT_URL"]).netloc
    return host, f"/{bucket}", partial(sign, host)


def sign(host: str, address: str, path: Path) -> Mapping[str, str]:
    """Return the headers of a signed request (AWS Signature Version 4)."""
    (digest,) = digests_of(path, "sha256")
    now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    headers = {
        "host": host,
        "if-none-match": "*",
        "x-amz-checksum-sha256": base64.b64encode(digest).decode(),
        "x-amz-content-sha256": digest.hex(),
        "x-amz-date": now,
    }
    names = ";".join(headers)
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    request = f"PUT\n{address}\n\n{lines}\n{names}\n{digest.hex()}"
    scope = f"{now[:8]}/{os.environ['AWS_DEFAULT_REGION']}/s3/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = b"AWS4" + os.environ["AWS_SECRET_ACCESS_KEY"].encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    credential = f"{os.environ['AWS_ACCESS_KEY_ID']}/{scope}"
    return {
        **headers,
        "authorization": f"AWS4-HMAC-SHA256 Credential={credential}, "
        f"SignedHeaders={names}, Signature={signature}",
    }


if __name__ == "__main__":
    kind, container, *files = sys.argv[1:]
    place = {"swift": swift_place, "s3": s3_place}[kind](container)
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(partial(put, *place), map(Path, files)))
