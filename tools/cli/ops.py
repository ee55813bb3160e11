"""`alertwire ops`: what whoever runs the installation does with its log and its database, since the
images hold no other tool for it.
"""

from tools.cli.lazy import LazyGroup

_COMMANDS: dict[str, str] = {
    "setup": "tools.cli.ops_setup:setup",
    "check": "tools.cli.ops_looking:check",
    "streams": "tools.cli.ops_looking:streams",
    "consumers": "tools.cli.ops_looking:consumers",
    "pause": "tools.cli.ops_pausing:pause",
    "resume": "tools.cli.ops_pausing:resume",
    "keys": "tools.cli.ops_keys:keys",
    "nats-config": "tools.cli.ops_keys:nats_config",
    "sealing-key": "tools.cli.ops_sealing:sealing_key",
    "backup": "tools.cli.ops_backup:backup",
    "restore": "tools.cli.ops_backup:restore",
    "migrate": "tools.cli.ops_migrating:migrate",
    "probe": "tools.cli.ops_probing:probe",
}

ops = LazyGroup(
    name="ops",
    places=_COMMANDS,
    help="""Set up and look after the log and the database.

    Commands that reach them take ALERTWIRE_NATS_URL, ALERTWIRE_NATS_NKEY_FILE,
    ALERTWIRE_NATS_CA_FILE and ALERTWIRE_POSTGRES_URL, as the services do; what is secret may come
    in a file, ALERTWIRE_POSTGRES_URL_FILE.
    """,
)
