"""What happened to each contact's employment, and how sure that is."""
