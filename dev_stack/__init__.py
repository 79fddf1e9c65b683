"""The real components around Slipway for a clone: Kafka, a MongoDB-wire server, Docker Engines, base images. Also imported by the journeys."""
