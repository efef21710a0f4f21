"""Data sets of pictures: where they are found, how they are fetched and read."""
