"""Web pages that link to distribution files."""
