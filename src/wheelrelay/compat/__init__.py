"""The historic command line."""
