"""What a notebook shows, and the same as plain text: finished data in, MIME bundles out."""
