"""Text and tables for people: on a terminal, in a log, and as Markdown."""
