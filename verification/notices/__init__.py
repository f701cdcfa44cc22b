"""Who relied on what is told when it changes: recalls and subscriptions, posted."""
