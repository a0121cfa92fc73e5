"""The name and the version of this distribution, and the address of its documentation."""

PROJECT = "wheelrelay"
__version__ = "0.1.0"

DOCUMENTATION = "https://wheelrelay.readthedocs.io/en/stable/"
