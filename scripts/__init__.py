"""Programs that stand beside the suite and use its commands, nothing of its insides."""
