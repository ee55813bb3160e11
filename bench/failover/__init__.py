"""How long a standby takes to go on with the work of a process that died."""
