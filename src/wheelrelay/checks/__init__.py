"""The rules that a file or a release must satisfy before anything is published."""
