"""Engines that place worker processes somewhere and watch them (floor 4)."""
