"""What things are measured on: datasets with a card, items and a version that changes with every bit of them."""
