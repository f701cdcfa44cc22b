"""What the pipeline hands over, and how it comes into the session: COPY, then one merge a table."""
