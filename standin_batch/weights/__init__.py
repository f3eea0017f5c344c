"""Which weights there are, where they lie and what is in them; the tiny ones are made here."""
