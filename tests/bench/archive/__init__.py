"""An archive of millions of rows, made by SQL in a server of its own, for the search bench."""
