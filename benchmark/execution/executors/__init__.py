"""Engines that place worker processes somewhere and watch them."""
