"""``hrv bench forecast``: every forecaster and every opponent on the same nights of a table of people."""
