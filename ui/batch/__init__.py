"""Files of products: sent, classified in a job of their own, looked at, taken away."""
