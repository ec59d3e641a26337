"""HTML pages: single files that load nothing and are readable without style and script."""
