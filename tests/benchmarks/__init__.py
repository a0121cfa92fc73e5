"""How fast wheelrelay is, and in how much memory, beside what people do without it; see README.md."""
