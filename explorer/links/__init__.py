"""Links between the panels of figures: what the browser shows of a pixel, and where it looks."""
