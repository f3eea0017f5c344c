"""Several workers under one plan: what each is told and does, and what the driver makes of what they say."""
