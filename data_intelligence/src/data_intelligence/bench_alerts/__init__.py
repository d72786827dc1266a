"""How well the alerts do on made-up members with planted events, and how they look on real people."""
