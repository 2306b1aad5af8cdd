"""Review as data: signed events, and each bundle's status as a pure function of the log."""
