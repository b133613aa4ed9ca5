"""The sample recordings: scripts, spoken by espeak-ng, through rooms, noises and lines, with the truth about each."""
