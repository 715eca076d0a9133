"""The table of routes, one file each: the app and /openapi.json are made from it."""

from seqserve.service.routes import classify, models, operation, rank, sample, score, tag, transduce
from seqserve.service.routes.route import Route

ROUTES: tuple[Route, ...] = (
    tag.ROUTE,
    score.ROUTE,
    rank.ROUTE,
    sample.ROUTE,
    classify.ROUTE,
    transduce.ROUTE,
    models.LIST,
    models.SHOW,
    *operation.ROUTES,
)
