"""What a notebook shows: finished data in, MIME bundles (HTML and plain text) out."""
