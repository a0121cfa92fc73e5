"""Directories and files on this machine as remotes."""
