"""Rackspace Cloud Files and OpenStack Swift as containers for wheelrelay."""
