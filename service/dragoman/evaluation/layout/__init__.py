"""How a report is laid out: numbers, scales, plots and cases worth hearing, which ``page`` puts on paper."""
