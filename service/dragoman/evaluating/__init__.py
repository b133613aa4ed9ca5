"""Settings become a candidate, a dataset becomes a run, and a run becomes a report."""
