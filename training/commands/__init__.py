"""Commands of `seqserve train`, one a file. torch is loaded by those that need it, when they run."""
