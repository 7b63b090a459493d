"""How fast the suite is, measured beside a plain reference loop."""
