"""What synthetic callers say: parallel sentences and free word sequences in four languages."""
