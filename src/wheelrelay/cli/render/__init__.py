"""Plans, progress and receipts as tables and as JSON."""
