"""The report page: one self-contained file a profile, readable without JavaScript and without a network."""
