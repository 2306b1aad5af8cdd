"""What the machine did while a run was measured: sources, the sampling thread, its log."""
