"""The backends that come with wheelrelay; they are registered like those of others."""
