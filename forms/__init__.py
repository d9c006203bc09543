"""What does this form ask, and what does this submission say? No web, no database, no clock."""
