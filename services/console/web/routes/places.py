"""All pages about routes."""

from litestar import Router
from litestar.di import Provide

from services.console.web.routes.desk import desk_of
from services.console.web.routes.forms import check, create, save, show_edit, show_new
from services.console.web.routes.pages import (
    delete,
    pause,
    resume,
    rotate_token,
    show_latest,
    show_route,
    show_routes,
)
from services.console.web.routes.trials import explain, preview, send, show_trial, show_trial_again


def make_route_pages() -> Router:
    """One for each application: what is known of contracts is kept with it."""
    return Router(
        "/routes",
        route_handlers=[
            *(show_routes, show_latest, show_new, check, create, show_edit, save),
            *(show_route, pause, resume, rotate_token, delete),
            *(show_trial, show_trial_again, preview, explain, send),
        ],
        dependencies={"desk": Provide(desk_of, sync_to_thread=False, use_cache=True)},
    )
