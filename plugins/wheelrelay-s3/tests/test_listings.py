"""Objects in listings are those that botocore reads, and unusual listings are left to it."""

from datetime import UTC, datetime

import botocore.session
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from tests.servers.s3 import S3Server

from wheelrelay.errors import WheelrelayError
from wheelrelay_s3.objects import S3Objects

NAMESPACE = ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
OBJECT = (
    "<Contents><Key>a%2Bb/%E2%98%83%20&amp;c.whl</Key><LastModified>2026-05-04T03:02:01.000Z</LastModified>"
    "<ETag>&quot;1&quot;</ETag><Size>7</Size><StorageClass>STANDARD</StorageClass>"
    "<Owner><ID>1</ID><DisplayName>me</DisplayName></Owner></Contents>"
)
SECOND = OBJECT.replace("%2B", "").replace("7", "0").replace("03:02:01.000Z", "03:02:01+00:00")


def listing(*elements, namespace=NAMESPACE):
    rest = "<IsTruncated>false</IsTruncated><EncodingType>url</EncodingType><Prefix>a%2B</Prefix>"
    folder = "<CommonPrefixes><Prefix>a%2Bb/</Prefix></CommonPrefixes>"
    return f"<ListBucketResult{namespace}>{rest}{''.join(elements)}{folder}</ListBucketResult>".encode()


@pytest.fixture
def bucket(web, configured, objects_of):
    server = S3Server(web.url.rstrip("/"), "AK", "SK")
    return objects_of(configured(server, bucket="wheels", prefix="")).bucket


@pytest.mark.parametrize(
    "document",
    [
        listing(),
        listing(OBJECT),
        listing(OBJECT, SECOND),
        listing(OBJECT, SECOND, namespace=""),
        listing("<Contents><Key>x</Key></Contents>"),
        b'<?xml version="1.0" encoding="UTF-8"?>\n' + listing(OBJECT),
    ],
)
def test_listing_equals_that_of_botocore(document, bucket, web):
    web.serve("/wheels", document, content_type="application/xml")
    config = Config(signature_version=UNSIGNED, s3={"addressing_style": "path"})
    client = botocore.session.Session().create_client(
        "s3", "us-east-1", endpoint_url=web.url.rstrip("/"), config=config
    )
    expected = client.list_objects_v2(Bucket="wheels")
    for entry in expected.get("Contents", ()):
        for unused in ("StorageClass", "Owner"):
            entry.pop(unused, None)
    page = bucket.list_page("")
    assert {**page, "ResponseMetadata": None} == {**expected, "ResponseMetadata": None}


def test_listing_has_names_and_times(bucket, web):
    web.serve("/wheels", listing(OBJECT), content_type="application/xml")
    [stored] = S3Objects(bucket).list_objects()
    assert (stored.name, stored.size, stored.etag) == ("a+b/☃ &c.whl", 7, "1")
    assert stored.modified == datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "document",
    [
        b"<ListBucketResult><Contents>",
        b"<Error><Code>InternalError</Code><Message>It failed.</Message></Error>",
        listing(OBJECT.replace("<Size>7", "<Size>seven")),
    ],
)
def test_listing_that_is_not_valid_is_an_error(document, bucket, web):
    web.serve("/wheels", document, content_type="application/xml")
    with pytest.raises(WheelrelayError):
        bucket.list_page("")
