"""The lines of the table, each a goal."""
