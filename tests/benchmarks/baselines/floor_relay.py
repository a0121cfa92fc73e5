"""Move files from a listing to an index with the least work: ``python floor_relay.py SOURCE INDEX NAME...``.

Eight threads download, hash and upload. Nothing is checked, planned, retried or confirmed. It shows what a
program in Python cannot be faster than on this machine.
"""

import hashlib
import http.client
import os
import ssl
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

THREADS = 8
BLOCK = 1 << 18
BOUNDARY = b"floor"

connections = threading.local()


def connection(url: str) -> http.client.HTTPConnection:
    """Return this thread's connection to the host of a URL."""
    parts = urlsplit(url)
    by_host = connections.__dict__
    if parts.netloc not in by_host:
        if parts.scheme == "https":
            trust = ssl.create_default_context(cafile=os.environ.get("SSL_CERT_FILE"))
            by_host[parts.netloc] = http.client.HTTPSConnection(parts.netloc, context=trust, blocksize=BLOCK)
        else:
            by_host[parts.netloc] = http.client.HTTPConnection(parts.netloc, blocksize=BLOCK)
    found: http.client.HTTPConnection = by_host[parts.netloc]
    return found


def download(url: str, path: Path) -> str:
    """Download a file and return its sha256."""
    client = connection(url)
    client.request("GET", urlsplit(url).path)
    response = client.getresponse()
    digest = hashlib.sha256()
    buffer = memoryview(bytearray(BLOCK))
    with path.open("wb", buffering=0) as file:
        while count := response.readinto(buffer):
            digest.update(buffer[:count])
            file.write(buffer[:count])
    return digest.hexdigest()


def upload(url: str, path: Path, sha256: str) -> None:
    """Upload a file by the legacy upload API."""
    fields = {":action": "file_upload", "protocol_version": "1", "sha256_digest": sha256}
    head = b"".join(
        b'--%b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n'
        % (BOUNDARY, name.encode(), value.encode())
        for name, value in fields.items()
    )
    head += (
        b'--%b\r\nContent-Disposition: form-data; name="content"; filename="%b"\r\n'
        b"Content-Type: application/octet-stream\r\n\r\n" % (BOUNDARY, path.name.encode())
    )
    tail = b"\r\n--%b--\r\n" % BOUNDARY
    client = connection(url)
    client.putrequest("POST", urlsplit(url).path)
    client.putheader("Content-Type", f"multipart/form-data; boundary={BOUNDARY.decode()}")
    client.putheader("Content-Length", str(len(head) + path.stat().st_size + len(tail)))
    client.endheaders(head)
    with path.open("rb", buffering=0) as file:
        while block := file.read(BLOCK):
            client.send(block)
    client.send(tail)
    response = client.getresponse()
    response.read()
    if response.status != 200:
        raise RuntimeError(f"{url} answered {response.status}.")


def move(source: str, index: str, name: str) -> None:
    """Move one file."""
    path = Path(name)
    upload(index, path, download(source + name, path))


if __name__ == "__main__":
    source, index, *names = sys.argv[1:]
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda name: move(source, index, name), names))
