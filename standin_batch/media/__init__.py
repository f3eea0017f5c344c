"""Pictures and videos that people bring, as pixels."""
