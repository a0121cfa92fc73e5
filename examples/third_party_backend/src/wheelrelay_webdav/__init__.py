"""WebDAV folders as containers for wheelrelay."""
