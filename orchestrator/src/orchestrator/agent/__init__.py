"""The language model's part."""
