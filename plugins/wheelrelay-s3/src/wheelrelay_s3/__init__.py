"""S3 buckets as containers for wheelrelay: Amazon S3 and servers with a compatible API."""
