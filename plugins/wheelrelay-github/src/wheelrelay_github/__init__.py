"""GitHub releases and workflow artifacts as remotes for wheelrelay."""
