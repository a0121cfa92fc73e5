"""Buckets that can be listed, and no more: ``python -m tests.benchmarks.servers.bucket PORT``.

The bucket ``wheels-1000`` has 1,000 objects, and so on. Pages of ListObjectsV2 are made once and then kept: a
real S3 server takes longer for a page than its client does, and to fill it with 100,000 takes minutes.
"""

import sys
from functools import cache
from itertools import islice
from urllib.parse import parse_qs, urlsplit

from tests.benchmarks.material import many_names
from tests.benchmarks.servers.web import Exchange, serve

PAGE = 1000
XML = "application/xml"
_OBJECT = (
    "<Contents><Key>{}</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified>"
    "<ETag>&quot;{:032x}&quot;</ETag><Size>1000</Size><StorageClass>STANDARD</StorageClass></Contents>"
)
_LISTING = (
    '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
    "<Name>{bucket}</Name><Prefix></Prefix><KeyCount>{count}</KeyCount><MaxKeys>1000</MaxKeys>"
    "<IsTruncated>{more}</IsTruncated>{next}{objects}</ListBucketResult>"
)
_NOTHING = b"<Error><Code>NoSuchKey</Code><Message>There is no such key.</Message></Error>"


def handle(exchange: Exchange) -> None:
    """Answer one request."""
    parts = urlsplit(exchange.path)
    asked = parse_qs(parts.query)
    bucket, _, key = parts.path.strip("/").partition("/")
    if key or "list-type" not in asked:
        exchange.answer(_NOTHING, 404, XML)
    else:
        exchange.answer(_page(bucket, int(asked.get("continuation-token", ["0"])[0])), content_type=XML)


@cache
def _page(bucket: str, start: int) -> bytes:
    count = int(bucket.rpartition("-")[2])
    names = islice(many_names(count), start, start + PAGE)
    objects = [_OBJECT.format(name, number) for number, name in enumerate(names, start)]
    stop = start + len(objects)
    more = stop < count
    token = f"<NextContinuationToken>{stop}</NextContinuationToken>" if more else ""
    page = _LISTING.format(
        bucket=bucket, count=len(objects), more=str(more).lower(), next=token, objects="".join(objects)
    )
    return page.encode()


if __name__ == "__main__":
    serve(int(sys.argv[1]), handle)
