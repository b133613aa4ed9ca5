"""What is counted, room by room: a counter makes counts of what was said and heard, metrics make figures of counts."""
