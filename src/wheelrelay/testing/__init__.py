"""What authors of backends run and build upon: the contract suite and sample distributions."""
