"""Long files as jobs: taken at the door, worked on behind it, and told of when they are over."""
