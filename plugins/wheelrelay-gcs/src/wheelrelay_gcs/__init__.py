"""Google Cloud Storage buckets as containers for wheelrelay."""
