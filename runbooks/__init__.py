"""What to do when a promise breaks: the diagnosis, and later the pages an on-call engineer follows."""
