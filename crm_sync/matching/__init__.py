"""Who is who: contacts and the profiles of enrichment sources, joined by evidence."""
