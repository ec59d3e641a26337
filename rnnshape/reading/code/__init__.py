"""Python source to layers: pasted lines, programs, notebooks.  It is read as a tree and never evaluated."""
