"""Pages for a browser: one file each that loads nothing, readable without its style and its script."""
