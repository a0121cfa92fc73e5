"""What people do without a tool, each a small script of its own."""
