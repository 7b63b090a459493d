"""Where every process of this project begins, with this folder's code."""
