"""Drawing new text: how a sample is drawn, its random numbers, the rows of a step, and the text that comes of it."""
