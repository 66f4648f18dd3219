"""Results for people: tables, sentences, and one subject's course in words."""
