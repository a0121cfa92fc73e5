"""What all S3 servers of the tests have in common: an address, keys, and a client that is not ours."""

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
    """An S3 server that runs.

    Attributes:
        url: the endpoint, without a slash at the end.
        access_key_id: of somebody who may do everything.
        secret_access_key: theirs.
        region: what requests are signed for.
    """

    url: str
    access_key_id: str
    secret_access_key: str
    region: str = REGION

    def client(self) -> Any:
        """A client for looking at what lies there, and for laying something there."""
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id=self.access_key_id,
            aws_secret_access_key=self.secret_access_key,
            region_name=self.region,
            config=Config(retries={"total_max_attempts": 1}, request_checksum_calculation="when_required"),
        )

    def new_bucket(self, *, public: bool = False) -> str:
        """Make an empty bucket, for everybody to read if it is public; gives its name."""
        name = f"{'public' if public else 'wheels'}-{next(_NUMBERS)}"
        client = self.client()
        client.create_bucket(Bucket=name)
        if public:
            client.put_bucket_policy(Bucket=name, Policy=json.dumps(public_policy(name)))
        return name


def public_policy(bucket: str) -> dict[str, Any]:
    """The bucket policy that lets everybody list and read."""
    everybody = {"Effect": "Allow", "Principal": "*"}
    resource = f"arn:aws:s3:::{bucket}"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {**everybody, "Action": "s3:ListBucket", "Resource": resource},
            {**everybody, "Action": "s3:GetObject", "Resource": f"{resource}/*"},
        ],
    }
