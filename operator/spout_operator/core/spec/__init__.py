"""What a Spout asks for: from the resource to the types of `core.model`, checked and compared."""
