"""Rackspace Cloud Files and OpenStack Swift as containers: libcloud opens the door, we carry the files."""
