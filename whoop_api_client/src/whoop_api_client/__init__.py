"""The only room that talks to WHOOP: OAuth2, pulls, export ZIPs, a simulator."""
