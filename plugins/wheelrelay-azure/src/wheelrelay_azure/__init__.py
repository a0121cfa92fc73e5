"""Azure Blob Storage containers as containers for wheelrelay."""
