"""A container as a store and as a package index, over a handful of operations on objects."""
