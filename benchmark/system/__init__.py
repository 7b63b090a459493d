"""This machine: its hardware, files, processes and signals, and where the parts of the project lie."""
