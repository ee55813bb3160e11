"""The wire: what travels between the services. Frozen, tagged, decoded once at the edge."""
