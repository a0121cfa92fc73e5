"""What a CI system shows beside the log: annotations, groups, a summary, and values for later steps."""
