"""The common part of all S3 servers of the tests: a URL, keys, and a boto3 client."""

import itertools
import json
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

_NUMBERS = itertools.count(1)

REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class S3Server:
    """A running S3 server.

    Attributes:
        url: the endpoint, without a slash at the end.
        access_key_id: of a user with all permissions.
        secret_access_key: of the same user.
        region: the region that requests are signed for.
    """

    url: str
    access_key_id: str
    secret_access_key: str
    region: str = REGION

    def client(self) -> Any:
        """Return a client to read and write objects in tests."""
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id=self.access_key_id,
            aws_secret_access_key=self.secret_access_key,
            region_name=self.region,
            config=Config(retries={"total_max_attempts": 1}, request_checksum_calculation="when_required"),
        )

    def new_bucket(self, *, public: bool = False) -> str:
        """Create an empty bucket, optionally public, and return its name."""
        name = f"{'public' if public else 'wheels'}-{next(_NUMBERS)}"
        client = self.client()
        client.create_bucket(Bucket=name)
        if public:
            client.put_bucket_policy(Bucket=name, Policy=json.dumps(public_policy(name)))
        return name


def public_policy(bucket: str) -> dict[str, Any]:
    """Return the bucket policy for public listing and reading."""
    everybody = {"Effect": "Allow", "Principal": "*"}
    resource = f"arn:aws:s3:::{bucket}"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {**everybody, "Action": "s3:ListBucket", "Resource": resource},
            {**everybody, "Action": "s3:GetObject", "Resource": f"{resource}/*"},
        ],
    }
