"""One renderer a format: a table in, a text out."""
