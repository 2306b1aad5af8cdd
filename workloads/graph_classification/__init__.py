"""Node classification with a relational graph attention network on a generated graph."""
