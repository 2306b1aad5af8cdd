"""MLPerf Training's own results: its round as data, its verdicts reproduced, and stricter ones."""
