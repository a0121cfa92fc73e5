"""Packages on anaconda.org as remotes for wheelrelay."""
