"""S3 buckets as containers for wheelrelay: Amazon's, and those of every server that speaks its API."""
