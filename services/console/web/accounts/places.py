"""All pages about accounts."""

from litestar import Router
from litestar.di import Provide

from services.console.web.accounts.desk import account_desk_of
from services.console.web.accounts.forms import create, save, show_edit, show_new
from services.console.web.accounts.lists import show_accounts, show_glance
from services.console.web.accounts.pages import (
    check_now,
    delete,
    show_account,
    show_addresses,
    show_checkup,
    show_picture,
)

account_page_router = Router(
    "/accounts",
    route_handlers=[
        *(show_accounts, show_glance, show_new, create, show_edit, save),
        *(show_account, show_picture, show_checkup, check_now, show_addresses, delete),
    ],
    dependencies={"desk": Provide(account_desk_of, sync_to_thread=False, use_cache=False)},
)
