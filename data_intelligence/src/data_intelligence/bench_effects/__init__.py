"""Members whose effects are known, and how well they are found."""
