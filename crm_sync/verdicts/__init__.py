"""What people's decisions say of the evidence: measured precision, and what follows from it."""
