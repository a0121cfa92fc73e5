"""Integration with CI systems: annotations, log groups, job summaries, and outputs for later steps."""
