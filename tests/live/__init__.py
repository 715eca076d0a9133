"""A package, so that servers with the scope "package" end before the tests of other folders."""
