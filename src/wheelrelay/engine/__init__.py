"""The steps of a relay, a module each, and the engine that takes them one after the other."""
