"""Routes, one file each; `seqserve.service.routes.table` lists them."""
