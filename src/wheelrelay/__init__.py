"""Moves Python distribution files to the indexes that people install from."""
