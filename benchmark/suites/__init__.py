"""Suites: manifests, profiles and settings, checked and laid over each other into cells."""
