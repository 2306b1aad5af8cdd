"""A static site from bundles."""
