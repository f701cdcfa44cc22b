"""Items taken in from elsewhere: read, judged all at once, shown as a plan, then carried out whole or not at all."""
