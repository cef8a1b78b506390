"""HTTP in and out: what clients say, what they are answered, and in which words."""
