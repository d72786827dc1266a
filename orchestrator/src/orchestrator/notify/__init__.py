"""Telling the wearer, by choice: once a day, never in the quiet hours, without numbers unless they are asked for."""
