"""The explorer: change a flag and see the answer change.  Only the modules with widgets import Textual."""
