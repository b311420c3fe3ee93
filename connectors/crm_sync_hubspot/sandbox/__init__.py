"""A stand-in for HubSpot on loopback."""
