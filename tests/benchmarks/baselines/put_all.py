"""Put files into a bucket by s3fs: ``python put_all.py ENDPOINT BUCKET FILE...``; keys are variables."""

import sys

from s3fs import S3FileSystem

if __name__ == "__main__":
    endpoint, bucket, *files = sys.argv[1:]
    S3FileSystem(endpoint_url=endpoint).put(files, f"{bucket}/")
