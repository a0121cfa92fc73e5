"""The static Simple API that turns a container into an index."""
