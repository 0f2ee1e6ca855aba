"""Raw input to clean input: text with offsets, pictures with geometry."""
