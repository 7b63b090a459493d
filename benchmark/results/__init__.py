"""Results: the record of a run, the folder they lie in, and the trials that a cell can read."""
