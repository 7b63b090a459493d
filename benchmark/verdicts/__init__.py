"""What trials say of a printed number and of a claim, by the rules of docs/statistics.md."""
