"""Results as files: scripts, notebooks, arrays, pages and widgets."""
