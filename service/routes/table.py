"""The table of routes: the app and /openapi.json are made from it."""

from seqserve.service.kinds import KINDS
from seqserve.service.routes import models, operation
from seqserve.service.routes.route import Route

ROUTES: tuple[Route, ...] = (
    *(route for kind in KINDS.values() for route in kind.routes),
    models.LIST,
    models.SHOW,
    *operation.ROUTES,
)
