"""The configuration: YAML in, a checked `Schema` out."""
