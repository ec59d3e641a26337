"""The explorer: change a flag, and see the answer change.  Only the modules that draw import Textual."""
