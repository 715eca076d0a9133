"""Makes bundles: reads corpora, trains recurrent models with torch, exports them."""
