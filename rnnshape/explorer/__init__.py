"""The explorer: change a flag, and see the answer change.  Textual is imported by the modules that draw, and by no other."""
