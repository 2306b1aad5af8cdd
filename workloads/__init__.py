"""The reference implementations, a folder each."""
