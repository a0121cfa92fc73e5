"""What stands around the clients that are measured, each in a process of its own: servers, and distance."""
