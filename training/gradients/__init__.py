"""How long cells remember: gradients through time, agreement at a distance, clipping."""
