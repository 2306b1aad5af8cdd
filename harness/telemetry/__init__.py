"""What the machine did while a run was measured: sources, the sampling process, its log."""
