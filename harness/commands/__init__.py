"""The commands by subject; with harness/cli.py the composition root, which may look right."""
