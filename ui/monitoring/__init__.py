"""The page on how the server and what it is sent are doing: parts of it."""
