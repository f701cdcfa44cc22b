"""What waits for somebody, what people proposed and did, and how it ends."""
