"""What moderators decided, and the queue of what is left."""
