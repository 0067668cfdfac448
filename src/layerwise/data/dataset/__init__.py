"""`Dataset`: what elements are (`stage`), where they come from, what happens to them on their way."""
