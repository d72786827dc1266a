"""Notes: assets and the sensor that sees them come."""
