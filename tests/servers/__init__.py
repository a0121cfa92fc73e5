"""Real servers on free ports of the loopback interface, for tests."""
