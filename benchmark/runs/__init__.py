"""What a run is: its axes, its frozen description and its name."""
