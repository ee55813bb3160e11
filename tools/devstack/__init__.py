"""The whole system on one machine: NATS and PostgreSQL from their packages' binaries, the paper
exchange, the services and the console, as supervised child processes on loopback.
"""
