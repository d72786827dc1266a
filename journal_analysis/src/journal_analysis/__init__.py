"""Voice or text in, transcript and facts out."""
