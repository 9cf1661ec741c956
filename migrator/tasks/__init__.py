"""What worker processes do: take the census of a range, copy it, compare it. Each task is one picklable object."""
