"""What Dragoman runs on in Azure, and how we know that it fits."""
