"""An export on disk: data files, what they hold, and how far an unfinished one is."""
