"""One target under atheris, which watches what code each input reaches: `python -m fuzz.guided
TARGET OPTIONS…`, where the options are libFuzzer's own. A process of its own, since libFuzzer ends
it when the time is up.
"""

import logging
import sys

import atheris
import structlog

_WATCHED = [
    *("services.ingest", "services.console.documents", "services.console.drafting"),
    *("services.console.trading", "services.console.changes", "services.executor.mexc"),
    *("libs.common.addresses", "libs.common.contracts", "libs.common.domain.quantity"),
]


def main() -> None:
    name, *options = sys.argv[1:]
    with atheris.instrument_imports(include=_WATCHED, enable_loader_override=False):
        from fuzz.targets import TARGETS
    # A line for each frame that cannot be read would be most of the time.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    atheris.Setup([sys.argv[0], *options], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
