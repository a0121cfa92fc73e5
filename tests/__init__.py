"""The tests of wheelrelay; they mirror ``src/wheelrelay``."""
