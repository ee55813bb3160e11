"""`alertwire ops`: what whoever runs the installation does with its log and its database, since the
images hold no other tool for it.
"""

from tools.cli.lazy import LazyGroup

_COMMANDS: dict[str, str] = {
    "probe": "tools.cli.ops_probing:probe",
}

ops = LazyGroup(
    name="ops",
    places=_COMMANDS,
    help="""Set up and look after the log and the database.

    Commands that reach them take ALERTWIRE_NATS_URL and ALERTWIRE_POSTGRES_URL, as the services do.
    """,
)
